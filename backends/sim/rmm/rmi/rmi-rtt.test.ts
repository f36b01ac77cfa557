import { describe, expect, it } from 'vitest';

import { rmiResult, RmiStatus } from '../index.ts';
import { isConsistentRoot } from '../realm/rtt.ts';
import { RAM, TestMachine, TestRealm } from '../testing/test-realm.ts';

const { Success, ErrorInput, ErrorRealm } = RmiStatus;
const rtt = (level: number) => rmiResult(RmiStatus.ErrorRtt, level);
const BLOCK = 2 ** 21;
const UNPROTECTED = 2 ** 32;
/** Normal write-back memory, read and write. */
const NS_RW = 0xd8;

function realm(): TestRealm {
  return new TestRealm(new TestMachine());
}

/** Result of RTT_READ_ENTRY: level, state, descriptor, RIPAS. */
function entry(of: TestRealm, ipa: number, level: number): number[] {
  of.machine.must('RTT_READ_ENTRY', of.rd, ipa, level);
  return [1, 2, 3, 4].map((n) => of.machine.out(n));
}

describe('the root of an RTT', () => {
  it.each([
    [33, 2, 8, true],
    [34, 2, 16, true],
    [35, 2, 32, false],
    [30, 2, 1, true],
    [33, 1, 1, true],
    [40, 1, 2, true],
    [48, 0, 1, true],
    [33, 2, 4, false],
    [33, 3, 8, false],
    [33, -1, 1, false],
  ])('of %i bits, level %i, %i tables: %s', (width, level, tables, expected) => {
    expect(isConsistentRoot(width, level, tables)).toBe(expected);
  });
});

describe('RTT_CREATE and RTT_DESTROY', () => {
  it('check level, address and granule', () => {
    const r = realm();
    const { machine } = r;
    const table = machine.delegated();
    const create = (ipa: number | bigint, level: number | bigint) =>
      machine.call('RTT_CREATE', r.rd, table, ipa, level);
    expect(create(RAM, 2)).toBe(ErrorInput);
    expect(create(RAM, 4)).toBe(ErrorInput);
    expect(create(RAM, -1)).toBe(ErrorInput);
    expect(create(RAM + 4096, 3)).toBe(ErrorInput);
    expect(create(2 ** 33, 3)).toBe(ErrorInput);
    expect(create(2n ** 63n, 3)).toBe(ErrorInput);
    expect(machine.call('RTT_CREATE', r.rd, machine.granule(), RAM, 3)).toBe(ErrorInput);
    expect(create(RAM, 3)).toBe(Success);
    expect(machine.call('RTT_CREATE', r.rd, machine.delegated(), RAM, 3)).toBe(rtt(2));
  });

  it('report the level at which a walk ended', () => {
    const r = new TestRealm(new TestMachine(), { ipaWidth: 40, startLevel: 1, tables: 2 });
    const { machine } = r;
    expect(machine.call('RTT_CREATE', r.rd, machine.delegated(), RAM, 3)).toBe(rtt(1));
    r.createTable(RAM, 2);
    expect(machine.call('RTT_CREATE', r.rd, machine.delegated(), RAM, 3)).toBe(Success);
    expect(entry(r, RAM, 3)).toEqual([3, 0, 0, 0]);
    expect(entry(r, RAM, 1)[1]).toBe(2);
    expect(machine.call('RTT_DESTROY', r.rd, RAM + BLOCK, 3)).toBe(rtt(2));
    expect(machine.out(2)).toBe(RAM + 2 ** 30);
  });

  it('leave RIPAS DESTROYED, and return the granule to the host', () => {
    const r = realm();
    const { machine } = r;
    const table = r.createTable(RAM, 3);
    r.createTable(RAM + 4 * BLOCK, 3);
    expect(machine.call('RTT_DESTROY', r.rd, RAM, 3)).toBe(Success);
    expect(machine.out(1)).toBe(table);
    expect(machine.out(2)).toBe(RAM + 4 * BLOCK);
    expect(entry(r, RAM, 2)).toEqual([2, 0, 0, 2]);
    machine.must('GRANULE_UNDELEGATE', table);
    expect(machine.call('RTT_DESTROY', r.rd, RAM, 3)).toBe(rtt(2));
    expect(machine.out(2)).toBe(RAM + 4 * BLOCK);
  });

  it('fail while a page is in the table', () => {
    const r = realm();
    const { machine } = r;
    r.mapRam(RAM, 1);
    expect(machine.call('RTT_DESTROY', r.rd, RAM, 3)).toBe(rtt(3));
    expect(machine.out(2)).toBe(RAM);
    machine.must('DATA_DESTROY', r.rd, RAM);
    expect(machine.call('RTT_DESTROY', r.rd, RAM, 3)).toBe(Success);
  });

  it('copy the parent entry into the new table', () => {
    const r = realm();
    r.initRipas(RAM, RAM + BLOCK);
    r.createTable(RAM, 3);
    expect(entry(r, RAM + 5 * 4096, 3)).toEqual([3, 0, 0, 1]);
  });
});

describe('RTT_FOLD', () => {
  it('replaces a homogeneous table by an entry', () => {
    const r = realm();
    const { machine } = r;
    const table = r.createTable(RAM, 3);
    r.initRipas(RAM, RAM + BLOCK);
    expect(machine.call('RTT_FOLD', r.rd, RAM, 3)).toBe(Success);
    expect(machine.out(1)).toBe(table);
    expect(entry(r, RAM, 2)).toEqual([2, 0, 0, 1]);
    machine.must('GRANULE_UNDELEGATE', table);
  });

  it('fails for a table with different entries', () => {
    const r = realm();
    r.createTable(RAM, 3);
    r.initRipas(RAM, RAM + 4096);
    expect(r.machine.call('RTT_FOLD', r.rd, RAM, 3)).toBe(rtt(3));
    expect(r.machine.call('RTT_FOLD', r.rd, RAM + BLOCK, 3)).toBe(rtt(2));
  });

  it('makes a block of contiguous pages, and unfolds it again', () => {
    const r = realm();
    const { machine } = r;
    r.initRipas(RAM, RAM + BLOCK);
    r.createTable(RAM, 3);
    const data = machine.granule(512);
    for (let n = 0; n < 512; n++) {
      machine.must('GRANULE_DELEGATE', data + n * 4096);
      machine.must('DATA_CREATE_UNKNOWN', r.rd, data + n * 4096, RAM + n * 4096);
    }
    machine.view(data + 7 * 4096).setUint32(0, 0x1234, true);
    machine.must('RTT_FOLD', r.rd, RAM, 3);
    expect(entry(r, RAM, 2)).toEqual([2, 1, data, 1]);
    expect(r.locate(RAM + 7 * 4096 + 12)).toBe(machine.memory.offsetOf(data + 7 * 4096 + 12));
    expect(machine.call('DATA_DESTROY', r.rd, RAM)).toBe(rtt(2));
    r.createTable(RAM, 3);
    expect(entry(r, RAM + 511 * 4096, 3)).toEqual([3, 1, data + 511 * 4096, 1]);
    expect(machine.call('RTT_DESTROY', r.rd, RAM, 3)).toBe(rtt(3));
    for (let n = 0; n < 512; n++) machine.must('DATA_DESTROY', r.rd, RAM + n * 4096);
    machine.must('RTT_DESTROY', r.rd, RAM, 3);
  });
});

describe('RTT_READ_ENTRY', () => {
  it('requires an address aligned to the level', () => {
    const r = realm();
    const read = (ipa: number, level: number) => r.machine.call('RTT_READ_ENTRY', r.rd, ipa, level);
    expect(read(RAM + 4096, 2)).toBe(ErrorInput);
    expect(read(RAM, 1)).toBe(ErrorInput);
    expect(read(RAM, 4)).toBe(ErrorInput);
    expect(read(2 ** 33, 2)).toBe(ErrorInput);
    expect(read(RAM + 4096, 3)).toBe(Success);
    expect(r.machine.out(1)).toBe(2);
  });
});

describe('unprotected mappings', () => {
  it('keep the host’s descriptor', () => {
    const r = realm();
    const { machine } = r;
    const page = machine.granule();
    const map = (ipa: number, level: number, descriptor: number | bigint) =>
      machine.call('RTT_MAP_UNPROTECTED', r.rd, ipa, level, descriptor);
    expect(map(RAM, 3, page + NS_RW)).toBe(ErrorInput);
    expect(map(UNPROTECTED, 3, page + NS_RW)).toBe(rtt(2));
    r.createTable(UNPROTECTED, 3);
    expect(map(UNPROTECTED, 3, page + 0xd0)).toBe(ErrorInput);
    expect(map(UNPROTECTED, 3, page + NS_RW + 1)).toBe(ErrorInput);
    expect(map(UNPROTECTED, 3, BigInt(page) + (1n << 48n))).toBe(ErrorInput);
    expect(map(UNPROTECTED, 3, page + NS_RW)).toBe(Success);
    expect(map(UNPROTECTED, 3, page + NS_RW)).toBe(rtt(3));
    expect(entry(r, UNPROTECTED, 3)).toEqual([3, 1, page + NS_RW, 0]);
    expect(machine.call('RTT_UNMAP_UNPROTECTED', r.rd, UNPROTECTED + 4096, 3)).toBe(rtt(3));
    expect(machine.call('RTT_UNMAP_UNPROTECTED', r.rd, UNPROTECTED, 3)).toBe(Success);
    expect(machine.out(1)).toBe(UNPROTECTED + BLOCK);
  });

  it('give access while the granule is in the Normal world, and never permit execution', () => {
    const r = realm();
    const { machine } = r;
    r.createTable(UNPROTECTED, 3);
    const page = machine.granule();
    machine.must('RTT_MAP_UNPROTECTED', r.rd, UNPROTECTED, 3, page + NS_RW);
    machine.must('REALM_ACTIVATE', r.rd);
    const view = machine.rmm.inspect(r.rd);
    expect([view?.permissions(0, UNPROTECTED), view?.permissions(1, UNPROTECTED)]).toEqual(['rw', 'rw']);
    const before = machine.cpu.invalidated.length;
    machine.must('GRANULE_DELEGATE', page);
    expect(machine.cpu.invalidated.length).toBeGreaterThan(before);
    expect(view?.permissions(0, UNPROTECTED)).toBe('');
  });

  it('do not keep their table alive', () => {
    const r = realm();
    r.createTable(UNPROTECTED, 3);
    r.machine.must('RTT_MAP_UNPROTECTED', r.rd, UNPROTECTED, 3, r.machine.granule() + NS_RW);
    r.machine.must('RTT_DESTROY', r.rd, UNPROTECTED, 3);
    expect(entry(r, UNPROTECTED, 2)).toEqual([2, 0, 0, 0]);
  });

  it('may be outside of DRAM, without access', () => {
    const r = realm();
    r.createTable(UNPROTECTED, 3);
    r.machine.must('RTT_MAP_UNPROTECTED', r.rd, UNPROTECTED, 3, 0x0900_0000 + NS_RW);
    expect(r.machine.rmm.inspect(r.rd)?.permissions(0, UNPROTECTED)).toBe('');
  });
});

describe('DATA_CREATE', () => {
  it('checks its granules, address and flags', () => {
    const r = realm();
    const { machine } = r;
    const source = machine.granule();
    const data = machine.delegated();
    const create = (d: number, ipa: number | bigint, s: number, flags: number) =>
      machine.call('DATA_CREATE', r.rd, d, ipa, s, flags);
    expect(create(data, RAM, source, 1)).toBe(rtt(2));
    r.createTable(RAM, 3);
    expect(create(data, RAM, source, 2)).toBe(ErrorInput);
    expect(create(data, RAM + 1, source, 1)).toBe(ErrorInput);
    expect(create(data, UNPROTECTED, source, 1)).toBe(ErrorInput);
    expect(create(source, RAM, source, 1)).toBe(ErrorInput);
    expect(create(data, RAM, data, 1)).toBe(ErrorInput);
    machine.view(source).setUint32(0, 42, true);
    expect(create(data, RAM, source, 1)).toBe(Success);
    expect(machine.view(data).getUint32(0, true)).toBe(42);
    expect(create(machine.delegated(), RAM, source, 1)).toBe(rtt(3));
    machine.must('REALM_ACTIVATE', r.rd);
    expect(create(machine.delegated(), RAM + 4096, source, 1)).toBe(ErrorRealm);
  });

  it('reveals nothing of the granule’s old content', () => {
    const r = realm();
    const { machine } = r;
    r.createTable(RAM, 3);
    const data = machine.granule();
    machine.view(data).setUint32(0, 0xdead, true);
    machine.must('GRANULE_DELEGATE', data);
    machine.must('DATA_CREATE_UNKNOWN', r.rd, data, RAM);
    expect(machine.view(data).getUint32(0, true)).toBe(0);
  });
});
