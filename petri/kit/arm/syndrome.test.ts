import { describe, expect, it } from 'vitest';
import { faultStatusName } from './fault-status.ts';
import { decodeSyndrome, summarizeSyndrome } from './syndrome.ts';

const esr = (ec: number, iss: number): number => ((ec << 26) | (1 << 25) | iss) >>> 0;

describe('decodeSyndrome', () => {
  it.each([
    ['WFI', esr(0x01, 0x1e0_0000), { TI: 0, COND: 14, CV: 1 }, 'trapped WFI'],
    ['WFE', esr(0x01, 0x1e0_0001), { TI: 1 }, 'trapped WFE'],
    ['SIMD', esr(0x07, 0x1e0_0000), { CV: 1, COND: 14 }, 'trapped SIMD or floating point'],
    ['SVC', esr(0x15, 0x1234), { imm16: 0x1234 }, 'SVC #0x1234'],
    ['HVC', esr(0x16, 7), { imm16: 7 }, 'HVC #0x7'],
    ['SMC', esr(0x17, 0xffff), { imm16: 0xffff }, 'SMC #0xffff'],
    [
      'MRS',
      // MRS X5, S3_1_C9_C12_4
      esr(0x18, (3 << 20) | (4 << 17) | (1 << 14) | (9 << 10) | (5 << 5) | (12 << 1) | 1),
      { Op0: 3, Op1: 1, CRn: 9, CRm: 12, Op2: 4, Rt: 5, Direction: 1 },
      'trapped MRS X5, S3_1_C9_C12_4',
    ],
    [
      'MSR from the zero register',
      esr(0x18, (2 << 20) | (31 << 5)),
      { Op0: 2, Rt: 31, Direction: 0 },
      'trapped MSR S2_0_C0_C0_0, XZR',
    ],
    ['BRK', esr(0x3c, 1), { imm16: 1 }, 'BRK #0x1'],
    ['SError', esr(0x2f, (1 << 24) | (3 << 10) | 0x11), { IDS: 1, AET: 3, DFSC: 0x11 }, 'SError'],
    ['unknown', esr(0, 0), { IL: 1 }, 'unknown reason'],
  ])('%s', (_, value, iss, summary) => {
    const syndrome = decodeSyndrome(value);
    expect(syndrome.ec).toBe(value >>> 26);
    expect(syndrome.iss).toMatchObject(iss);
    expect(summarizeSyndrome(syndrome, undefined)).toBe(summary);
  });

  it('decodes a data abort with a valid syndrome', () => {
    const value = esr(0x24, (1 << 24) | (3 << 22) | (1 << 21) | (17 << 16) | (1 << 15) | (1 << 14) | (1 << 6) | 0x06);
    const syndrome = decodeSyndrome(value);
    expect(syndrome.iss).toEqual({
      IL: 1,
      ISV: 1,
      SAS: 3,
      SSE: 1,
      SRT: 17,
      SF: 1,
      AR: 1,
      VNCR: 0,
      SET: 0,
      FnV: 0,
      EA: 0,
      CM: 0,
      S1PTW: 0,
      WnR: 1,
      DFSC: 6,
    });
    expect(summarizeSyndrome(syndrome, 0xffff_0000n)).toBe(
      'data abort: write of 8 bytes at IPA 0xffff0000, translation fault level 2',
    );
  });

  it('omits the fields that ISV=0 makes meaningless', () => {
    const syndrome = decodeSyndrome(esr(0x24, (3 << 22) | (17 << 16) | 0x0f));
    expect(Object.keys(syndrome.iss)).not.toContain('SRT');
    expect(summarizeSyndrome(syndrome, 0x1000n)).toBe(
      'data abort: read without a valid syndrome (ISV=0) at IPA 0x1000, permission fault level 3',
    );
  });

  it('names every class and every fault status, including reserved ones', () => {
    for (let ec = 0; ec < 64; ec++) expect(summarizeSyndrome(decodeSyndrome(esr(ec, 0)), 0n)).not.toBe('');
    expect(decodeSyndrome(esr(0x3f, 5))).toMatchObject({ name: 'reserved exception class 0x3f', iss: { ISS: 5 } });
    const names = Array.from({ length: 64 }, (_, code) => faultStatusName(code));
    expect(new Set(names).size).toBe(64);
    expect(names[0x04]).toBe('translation fault level 0');
    expect(names[0x0f]).toBe('permission fault level 3');
    expect(names[0x21]).toBe('alignment fault');
    expect(names[0x3f]).toBe('reserved fault status 0x3f');
  });
});
