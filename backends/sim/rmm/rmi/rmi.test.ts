import { describe, expect, it } from 'vitest';

import { RealmParams, Rmi, RmiStatus } from '../index.ts';
import { realmParams, TestMachine, TestRealm } from '../testing/test-realm.ts';

const { Success, ErrorInput, ErrorRealm } = RmiStatus;

describe('RMI_VERSION', () => {
  it.each([
    [0x1_0000, Success, 0x1_0000],
    [0x1_0001, Success, 0x1_0001],
    [0x1_0002, ErrorInput, 0x1_0001],
    [0x2_0000, ErrorInput, 0x1_0001],
    [0x0_0001, ErrorInput, 0x1_0001],
    [2n ** 63n, ErrorInput, 0x1_0001],
  ])('answers a request for %s', (requested, status, lower) => {
    const machine = new TestMachine();
    expect(machine.call('VERSION', requested)).toBe(status);
    expect([machine.out(1), machine.out(2)]).toEqual([lower, 0x1_0001]);
  });
});

describe('RMI dispatch', () => {
  it('returns -1 for unknown functions, and clears the other registers', () => {
    const machine = new TestMachine();
    expect(machine.smc(0xc400_01ff, 1, 2, 3)).toBe(-1);
    expect(machine.x.slice(1, 17).every((value) => value === 0n)).toBe(true);
  });

  it('ignores the SVE hint of the function identifier', () => {
    const machine = new TestMachine();
    expect(machine.smc(Rmi.VERSION + 0x1_0000, 0x1_0001)).toBe(Success);
  });

  it('reports its features', () => {
    const machine = new TestMachine();
    machine.must('FEATURES', 0);
    const value = machine.x[1] ?? 0n;
    const field = (low: bigint, bits: bigint) => Number((value >> low) & ((1n << bits) - 1n));
    expect(field(0n, 8n)).toBe(48);
    expect([field(8n, 1n), field(9n, 1n), field(26n, 1n), field(42n, 1n)]).toEqual([0, 0, 0, 0]);
    expect([field(32n, 1n), field(33n, 1n)]).toEqual([1, 1]);
    expect([field(43n, 2n), field(45n, 4n), field(49n, 1n)]).toEqual([2, 3, 1]);
    machine.must('FEATURES', 7);
    expect(machine.x[1]).toBe(0n);
  });

  it('has no auxiliary trees', () => {
    const realm = new TestRealm(new TestMachine());
    expect(realm.machine.call('RTT_AUX_CREATE', realm.rd, realm.machine.delegated(), 0, 3, 1)).toBe(ErrorInput);
  });
});

describe('granules', () => {
  it('are delegated once and undelegated once, cleared', () => {
    const machine = new TestMachine();
    const pa = machine.granule();
    machine.view(pa).setUint32(0, 0xdead, true);
    expect(machine.call('GRANULE_UNDELEGATE', pa)).toBe(ErrorInput);
    expect(machine.call('GRANULE_DELEGATE', pa)).toBe(Success);
    expect(machine.call('GRANULE_DELEGATE', pa)).toBe(ErrorInput);
    expect(machine.call('GRANULE_UNDELEGATE', pa)).toBe(Success);
    expect(machine.view(pa).getUint32(0, true)).toBe(0);
  });

  it.each([
    ['unaligned', (base: number) => base + 8],
    ['below DRAM', (base: number) => base - 4096],
    ['above DRAM', (base: number, bytes: number) => base + bytes],
    ['nowhere', () => 2n ** 64n - 4096n],
  ])('are rejected if they are %s', (_, address) => {
    const machine = new TestMachine();
    expect(machine.call('GRANULE_DELEGATE', address(machine.memory.base, machine.memory.bytes))).toBe(ErrorInput);
  });

  it('cannot be undelegated while a realm uses them', () => {
    const realm = new TestRealm(new TestMachine());
    expect(realm.machine.call('GRANULE_UNDELEGATE', realm.rd)).toBe(ErrorInput);
    expect(realm.machine.call('GRANULE_UNDELEGATE', realm.rttBase)).toBe(ErrorInput);
  });
});

describe('RMI_REALM_CREATE', () => {
  function attempt(change: (view: DataView, rttBase: number) => void): number {
    const machine = new TestMachine();
    const rttBase = machine.granule(8);
    for (let n = 0; n < 8; n++) machine.must('GRANULE_DELEGATE', rttBase + n * 4096);
    const params = realmParams(machine, rttBase);
    change(machine.view(params), rttBase);
    return machine.call('REALM_CREATE', machine.delegated(), params);
  }

  it('makes a realm with 33 bits of IPA from eight concatenated tables of level 2', () => {
    expect(attempt(() => undefined)).toBe(Success);
  });

  it.each<[string, (view: DataView, rttBase: number) => void]>([
    ['too narrow', (view) => view.setUint8(RealmParams.s2sz, 31)],
    ['too wide', (view) => view.setUint8(RealmParams.s2sz, 49)],
    ['a start level that does not fit', (view) => view.setUint8(RealmParams.rttLevelStart, 1)],
    ['too few start tables', (view) => view.setUint32(RealmParams.rttNumStart, 4, true)],
    ['a negative start level', (view) => view.setBigInt64(RealmParams.rttLevelStart, -1n, true)],
    ['start tables not delegated', (view, base) => view.setBigUint64(RealmParams.rttBase, BigInt(base + 0x8000), true)],
    ['start tables not aligned', (view, base) => view.setBigUint64(RealmParams.rttBase, BigInt(base + 0x1000), true)],
    ['LPA2', (view) => view.setUint8(RealmParams.flags, 1)],
    ['SVE', (view) => view.setUint8(RealmParams.flags, 2)],
    ['no breakpoints', (view) => view.setUint8(RealmParams.numBps, 0)],
    ['SHA-384', (view) => view.setUint8(RealmParams.hashAlgorithm, 2)],
    ['four auxiliary planes', (view) => view.setUint8(RealmParams.numAuxPlanes, 4)],
    ['a tree for each plane', (view) => view.setUint8(RealmParams.flags1, 1)],
    ['planes without indirect permissions', (view) => view.setUint8(RealmParams.flags1, 0)],
    ['two planes with the same VMID', (view) => view.setUint16(RealmParams.auxVmid, 1, true)],
  ])('refuses %s', (_, change) => {
    expect(attempt(change)).toBe(ErrorInput);
  });

  it('rejects a VMID in use until its realm is destroyed', () => {
    const machine = new TestMachine();
    const first = new TestRealm(machine);
    expect(() => new TestRealm(machine)).toThrow('REALM_CREATE gave 1');
    machine.must('REALM_DESTROY', first.rd);
    new TestRealm(machine);
  });

  it('takes the granules of the realm, and REALM_DESTROY returns them', () => {
    const realm = new TestRealm(new TestMachine());
    const { machine } = realm;
    machine.must('REALM_ACTIVATE', realm.rd);
    expect(machine.call('REALM_ACTIVATE', realm.rd)).toBe(ErrorRealm);
    machine.must('REALM_DESTROY', realm.rd);
    expect(machine.call('REALM_ACTIVATE', realm.rd)).toBe(ErrorInput);
    for (let n = 0; n < 8; n++) machine.must('GRANULE_UNDELEGATE', realm.rttBase + n * 4096);
    machine.must('GRANULE_UNDELEGATE', realm.rd);
  });

  it('does not destroy a realm with a REC or a live table', () => {
    const realm = new TestRealm(new TestMachine());
    const { machine } = realm;
    realm.createTable(0x8000_0000, 3);
    expect(machine.call('REALM_DESTROY', realm.rd)).toBe(ErrorRealm);
    machine.must('RTT_DESTROY', realm.rd, 0x8000_0000, 3);
    const rec = realm.createRec();
    expect(machine.call('REALM_DESTROY', realm.rd)).toBe(ErrorRealm);
    machine.must('REC_DESTROY', rec.pa);
    machine.must('REALM_DESTROY', realm.rd);
  });
});

describe('RMI_REC_CREATE', () => {
  it('requires consecutive MPIDRs, delegated granules and a new realm', () => {
    const realm = new TestRealm(new TestMachine());
    const { machine } = realm;
    const granule = machine.delegated();
    expect(machine.call('REC_CREATE', realm.rd, granule, realm.recParams({ mpidr: 1 }))).toBe(ErrorInput);
    expect(machine.call('REC_CREATE', realm.rd, granule, realm.recParams({ mpidr: 0x10 }))).toBe(ErrorInput);
    expect(machine.call('REC_CREATE', realm.rd, machine.granule(), realm.recParams())).toBe(ErrorInput);
    expect(machine.call('REC_CREATE', realm.rd, granule, realm.recParams())).toBe(Success);
    expect(machine.call('GRANULE_UNDELEGATE', granule)).toBe(ErrorInput);
    machine.must('REALM_ACTIVATE', realm.rd);
    expect(machine.call('REC_CREATE', realm.rd, machine.delegated(), realm.recParams({ mpidr: 1 }))).toBe(ErrorRealm);
  });

  it('frees processors: RECs can be made and destroyed any number of times', () => {
    const machine = new TestMachine(64 * 2 ** 20);
    for (let n = 0; n < 40; n++) {
      const realm = new TestRealm(machine);
      const rec = realm.createRec();
      machine.must('REC_DESTROY', rec.pa);
      machine.must('REALM_DESTROY', realm.rd);
    }
  });
});
