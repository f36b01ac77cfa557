import { describe, expect, it } from 'vitest';

import { decodeExit, ExitLog } from './exit-log.ts';

const at = { reason: 0, pc: 2, pstate: 4, esr: 6, far: 8, hpfar: 10 };

function record(log: ExitLog, fields: Partial<Record<keyof typeof at, bigint>>): void {
  const page = new BigUint64Array(8);
  for (const [name, value] of Object.entries(fields)) page[at[name as keyof typeof at] / 2 + 1] = value;
  log.record(new Uint32Array(page.buffer), 2, at);
}

describe('ExitLog', () => {
  it('keeps every bit of the fields in the run page', () => {
    const log = new ExitLog();
    const fields = {
      reason: 0n,
      pc: 0x8020_1234_8765_4321n,
      pstate: 0x1_0000_03c5n,
      esr: 0x1f_9300_0046n,
      far: 0xfedc_ba98_7654_3210n,
      hpfar: 0x8000_00ff_ffff_fff0n,
    };
    record(log, fields);
    expect(log.latest()).toMatchObject({ index: 0, ...fields, reason: 'sync', ec: 0x24 });
  });

  it('keeps the first and the last exits of a long run in order, and counts all', () => {
    const log = new ExitLog({ first: 3, last: 4 });
    const indices = (): number[] => log.decode().map((exit) => exit.index);
    for (let n = 0; n < 5; n++) record(log, { pc: BigInt(n) });
    expect(indices()).toEqual([0, 1, 2, 3, 4]);
    for (let n = 5; n < 1000; n++) record(log, { pc: BigInt(n) });
    expect(log.count).toBe(1000);
    expect(indices()).toEqual([0, 1, 2, 996, 997, 998, 999]);
    expect(log.decode().map((exit) => exit.pc)).toEqual([0n, 1n, 2n, 996n, 997n, 998n, 999n]);
    expect(log.latest()?.pc).toBe(999n);
  });

  it('is empty before the first exit', () => {
    expect(new ExitLog().decode()).toEqual([]);
    expect(new ExitLog().latest()).toBeUndefined();
  });
});

describe('decodeExit', () => {
  const raw = { index: 0, reason: 0n, pc: 0n, pstate: 0n, esr: 0n, far: 0n, hpfar: 0n };

  it('computes the IPA of an abort: the page from HPFAR, the offset from FAR', () => {
    const exit = decodeExit({ ...raw, esr: 0x8200_0006n, far: 0xffff_8000_0000_0abcn, hpfar: 0x8_47ff0n });
    expect(exit.ipa).toBe(0x847f_fabcn);
    expect(exit.summary).toBe('instruction abort: fetch at IPA 0x847ffabc, translation fault level 2');
  });

  it('reports only the page if FnV marks FAR as not valid', () => {
    const exit = decodeExit({ ...raw, esr: 0x8200_0406n, far: 0xabcn, hpfar: 0x8_47ff0n });
    expect(exit.ipa).toBe(0x847f_f000n);
  });

  it.each([
    [1n, 'irq', 'interrupt'],
    [2n, 'host', 'return forced by the host'],
    [9n, { unknown: 9n }, 'unknown exit reason 9'],
  ])('reason %s', (value, reason, summary) => {
    const exit = decodeExit({ ...raw, reason: value, esr: 0x9300_0046n });
    expect(exit.reason).toEqual(reason);
    expect(exit.summary).toBe(summary);
    expect(exit.ipa).toBeUndefined();
  });
});
