import { describe, expect, it } from 'vitest';

import { RecExit, RecExitReason, Ripas, rmiResult, RmiStatus, Rsi, RsiStatus } from '../index.ts';
import { plane0, RAM, runningRealm, TestMachine, TestRealm } from '../testing/test-realm.ts';

const { Success, ErrorInput, ErrorRealm, ErrorRec } = RmiStatus;
const rtt = (level: number) => rmiResult(RmiStatus.ErrorRtt, level);
const BLOCK = 2 ** 21;
const RIPAS_REJECT = 1 << 4;

function ripas(realm: TestRealm, ipa: number): number | undefined {
  return realm.machine.rmm.inspect(realm.rd)?.ripas(ipa);
}

/** A new realm whose page at RAM is in a given state: assigned or not, with a RIPAS. */
function pageIn(state: { ripas: 'Empty' | 'Ram' | 'Destroyed'; assigned: boolean }): TestRealm {
  const realm = new TestRealm(new TestMachine());
  const { machine } = realm;
  realm.createTable(RAM, 3);
  if (state.ripas !== 'Empty') realm.initRipas(RAM, RAM + 4096);
  if (state.ripas === 'Destroyed') {
    realm.mapRam(RAM, 1);
    machine.must('DATA_DESTROY', realm.rd, RAM);
  }
  if (state.assigned) realm.mapRam(RAM, 1);
  expect(ripas(realm, RAM)).toBe(Ripas[state.ripas]);
  return realm;
}

describe('RIPAS', () => {
  it.each(['Empty', 'Ram', 'Destroyed'] as const)('is changed to RAM by DATA_CREATE from %s', (from) => {
    const realm = pageIn({ ripas: from, assigned: false });
    realm.machine.must('DATA_CREATE', realm.rd, realm.machine.delegated(), RAM, realm.machine.granule(), 0);
    expect(ripas(realm, RAM)).toBe(Ripas.Ram);
  });

  it.each(['Empty', 'Ram', 'Destroyed'] as const)('is kept by DATA_CREATE_UNKNOWN: %s', (from) => {
    const realm = pageIn({ ripas: from, assigned: false });
    realm.mapRam(RAM, 1);
    expect(ripas(realm, RAM)).toBe(Ripas[from]);
  });

  it.each([
    ['Empty', 'Empty'],
    ['Ram', 'Destroyed'],
    ['Destroyed', 'Destroyed'],
  ] as const)('is changed by DATA_DESTROY from %s to %s', (from, to) => {
    const realm = pageIn({ ripas: from, assigned: true });
    realm.machine.must('DATA_DESTROY', realm.rd, RAM);
    expect(ripas(realm, RAM)).toBe(Ripas[to]);
  });

  it.each(['Empty', 'Ram', 'Destroyed'] as const)('is changed to DESTROYED by RTT_DESTROY from %s', (from) => {
    const realm = pageIn({ ripas: from, assigned: false });
    realm.machine.must('RTT_DESTROY', realm.rd, RAM, 3);
    expect(ripas(realm, RAM)).toBe(Ripas.Destroyed);
  });

  it('is EMPTY everywhere in a new realm', () => {
    const realm = new TestRealm(new TestMachine());
    expect([0, RAM, 0xffff_0000].map((ipa) => ripas(realm, ipa))).toEqual([0, 0, 0]);
    expect(ripas(realm, 2 ** 32)).toBeUndefined();
  });
});

describe('RTT_INIT_RIPAS', () => {
  it('stops at the end of a table', () => {
    const realm = new TestRealm(new TestMachine());
    realm.machine.must('RTT_INIT_RIPAS', realm.rd, RAM, RAM + 2 ** 30 + BLOCK);
    expect(realm.machine.out(1)).toBe(RAM + 2 ** 30);
    expect(ripas(realm, RAM + 2 ** 30 - 1)).toBe(Ripas.Ram);
    expect(ripas(realm, RAM + 2 ** 30)).toBe(Ripas.Empty);
  });

  it('stops at a table, at DESTROYED, and before an entry that does not fit', () => {
    const realm = new TestRealm(new TestMachine());
    const { machine } = realm;
    const init = (base: number, top: number) => machine.call('RTT_INIT_RIPAS', realm.rd, base, top);
    realm.createTable(RAM + BLOCK, 3);
    expect([init(RAM, RAM + 4 * BLOCK), machine.out(1)]).toEqual([Success, RAM + BLOCK]);
    expect([init(RAM + BLOCK, RAM + 4 * BLOCK), machine.out(1)]).toEqual([Success, RAM + 2 * BLOCK]);
    expect(init(RAM + 2 * BLOCK, RAM + 2 * BLOCK + 4096)).toBe(rtt(2));
    expect(init(RAM + 2 * BLOCK + 4096, RAM + 3 * BLOCK)).toBe(rtt(2));
    machine.must('RTT_DESTROY', realm.rd, RAM + BLOCK, 3);
    expect(init(RAM + BLOCK, RAM + 4 * BLOCK)).toBe(rtt(2));
    expect(init(RAM, RAM)).toBe(ErrorInput);
    expect(init(RAM, RAM + 5)).toBe(ErrorInput);
    expect(init(2 ** 32 - BLOCK, 2 ** 32 + BLOCK)).toBe(ErrorInput);
    machine.must('REALM_ACTIVATE', realm.rd);
    expect(init(RAM, RAM + BLOCK)).toBe(ErrorRealm);
  });
});

describe('RSI_IPA_STATE_SET', () => {
  /** A realm whose plane 0 makes one request and stores X0 to X2 in `results`. */
  function asking(base: number, top: number, value: number, flags = 0): { realm: TestRealm; results: number[] } {
    const results: number[] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        const status = yield* kit.call(Rsi.IPA_STATE_SET, base, top, value, flags);
        results.push(status, Number(kit.x[1]), Number(kit.x[2]));
      }),
    );
    realm.enter();
    return { realm, results };
  }
  const set = (realm: TestRealm, base: number, top: number) =>
    realm.machine.call('RTT_SET_RIPAS', realm.rd, realm.recs[0]?.pa ?? 0, base, top);

  it('reports the request to the host, and to the realm how far the host got', () => {
    const { realm, results } = asking(RAM, RAM + 8 * 4096, Ripas.Empty);
    const { run } = realm;
    expect(run.getUint8(RecExit.reason)).toBe(RecExitReason.RipasChange);
    expect(run.getBigUint64(RecExit.ripasBase, true)).toBe(BigInt(RAM));
    expect(run.getBigUint64(RecExit.ripasTop, true)).toBe(BigInt(RAM + 8 * 4096));
    expect(run.getUint8(RecExit.ripasValue)).toBe(Ripas.Empty);
    expect(set(realm, RAM + 4096, RAM + 8 * 4096)).toBe(ErrorInput);
    expect(set(realm, RAM, RAM + 9 * 4096)).toBe(ErrorInput);
    expect(set(realm, RAM, RAM + 3 * 4096)).toBe(Success);
    expect(realm.machine.out(1)).toBe(RAM + 3 * 4096);
    realm.enter();
    expect(results).toEqual([RsiStatus.Success, RAM + 3 * 4096, 0]);
    expect([ripas(realm, RAM + 2 * 4096), ripas(realm, RAM + 3 * 4096)]).toEqual([Ripas.Empty, Ripas.Ram]);
    expect(set(realm, RAM + 3 * 4096, RAM + 4 * 4096)).toBe(ErrorInput);
  });

  it('reports a rejection only for RAM, and not if the request was completed', () => {
    const ram = asking(RAM + 512 * 2 ** 20, RAM + 512 * 2 ** 20 + BLOCK, Ripas.Ram);
    ram.realm.enter(RIPAS_REJECT);
    expect(ram.results).toEqual([0, RAM + 512 * 2 ** 20, 1]);
    const empty = asking(RAM, RAM + BLOCK, Ripas.Empty);
    empty.realm.enter(RIPAS_REJECT);
    expect(empty.results).toEqual([0, RAM, 0]);
    const done = asking(RAM, RAM + 4096, Ripas.Ram);
    expect(set(done.realm, RAM, RAM + 4096)).toBe(Success);
    done.realm.enter(RIPAS_REJECT);
    expect(done.results).toEqual([0, RAM + 4096, 0]);
  });

  it.each([
    [0, rtt(3)],
    [1, Success],
  ])('changes DESTROYED with flags %i: result %i', (flags, expected) => {
    const { realm } = asking(RAM, RAM + 4096, Ripas.Ram, flags);
    realm.machine.must('DATA_DESTROY', realm.rd, RAM);
    expect(set(realm, RAM, RAM + 4096)).toBe(expected);
    expect(ripas(realm, RAM)).toBe(flags === 1 ? Ripas.Ram : Ripas.Destroyed);
  });

  it('needs a lower-level table for a part of a block', () => {
    const base = RAM + BLOCK;
    const { realm } = asking(base, base + 4096, Ripas.Empty);
    expect(set(realm, base, base + 4096)).toBe(rtt(2));
    realm.createTable(base, 3);
    expect(set(realm, base, base + 4096)).toBe(Success);
    expect([ripas(realm, base), ripas(realm, base + 4096)]).toEqual([Ripas.Empty, Ripas.Ram]);
  });

  it('completes only requests of the same REC', () => {
    const { realm } = asking(RAM, RAM + 4096, Ripas.Empty);
    const other = new TestRealm(realm.machine, { vmid: 10 });
    const stranger = other.createRec();
    expect(realm.machine.call('RTT_SET_RIPAS', realm.rd, stranger.pa, RAM, RAM + 4096)).toBe(ErrorRec);
  });

  it.each([
    ['a RIPAS that cannot be set', [RAM, RAM + 4096, Ripas.Destroyed]],
    ['an empty range', [RAM, RAM, Ripas.Ram]],
    ['an unaligned base', [RAM + 1, RAM + 4096, Ripas.Ram]],
    ['the unprotected half', [2 ** 32 - 4096, 2 ** 32 + 4096, Ripas.Ram]],
  ] as const)('refuses %s', (_, [base, top, value]) => {
    expect(asking(base, top, value).results[0]).toBe(RsiStatus.ErrorInput);
  });
});

describe('RSI_IPA_STATE_GET', () => {
  it.each([
    ['one page', RAM, RAM + 4096, [0, RAM + 4096, Ripas.Ram]],
    ['as far as it is uniform', 0, RAM + 4096, [0, 2 ** 30, Ripas.Empty]],
    ['up to the end of RAM', RAM + 510 * 2 ** 20, 2 ** 32, [0, RAM + 512 * 2 ** 20, Ripas.Ram]],
    ['nothing of the unprotected half', 2 ** 32, 2 ** 32 + 4096, [RsiStatus.ErrorInput, 0, 0]],
  ] as const)('tells %s', (_, base, top, expected) => {
    const results: number[] = [];
    const realm = runningRealm(
      plane0(function* (kit) {
        results.push(yield* kit.call(Rsi.IPA_STATE_GET, base, top), Number(kit.x[1]), Number(kit.x[2]));
      }),
    );
    realm.enter();
    expect(results).toEqual(expected);
  });
});
