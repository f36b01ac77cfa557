import { describe, expect, it } from 'vitest';

import { GIC_WORDS, isValidGicInput, loadGic, storeGic } from './vgic.ts';

const MISR = 0x88;
const VMCR = 0x90;
const PENDING = 1n << 62n;
const ACTIVE = 1n << 63n;
const EOI = 1n << 41n;

/** The fields that are reported after the host has set up the interface like this. */
function report(hcr: bigint, ...lists: bigint[]) {
  const view = new DataView(new ArrayBuffer(0x200));
  view.setBigUint64(0, hcr, true);
  lists.forEach((value, n) => {
    view.setBigUint64(8 + n * 8, value, true);
  });
  const valid = isValidGicInput(view, 0);
  const gic = new Uint32Array(GIC_WORDS);
  loadGic(gic, view, 0);
  const out = new DataView(new ArrayBuffer(0x200));
  storeGic(gic, out, 0);
  return {
    valid,
    lists: lists.map((_, n) => out.getBigUint64(8 + n * 8, true)),
    misr: out.getBigUint64(MISR, true),
    vmcr: out.getBigUint64(VMCR, true),
  };
}

describe('the GIC state of an exit', () => {
  it('has the reset value of ICH_VMCR_EL2', () => {
    expect(report(0n)).toEqual({ valid: true, lists: [], misr: 0n, vmcr: 0x4c_0008n });
  });

  it.each([
    ['UIE with no list register in use', 1n << 1n, [], 1n << 1n],
    ['UIE with one', 1n << 1n, [PENDING | 40n], 1n << 1n],
    ['UIE with two', 1n << 1n, [PENDING | 40n, ACTIVE | 41n], 0n],
    ['NPIE with none pending', 1n << 3n, [ACTIVE | 40n], 1n << 3n],
    ['NPIE with one pending', 1n << 3n, [PENDING | 40n], 0n],
    ['VGrp0DIE with the group disabled', 1n << 5n, [], 1n << 5n],
    ['VGrp1DIE with the group disabled', 1n << 7n, [], 1n << 7n],
    ['VGrp0EIE and VGrp1EIE with the groups disabled', (1n << 4n) | (1n << 6n), [], 0n],
    ['LRENPIE without EOIs', 1n << 2n, [], 0n],
    ['an inactive list register with EOI set', 0n, [EOI | 40n], 1n],
    ['a pending list register with EOI set', 0n, [PENDING | EOI | 40n], 0n],
  ])('has the right ICH_MISR_EL2 for %s', (_name, hcr, lists, misr) => {
    expect(report(hcr, ...lists)).toMatchObject({ valid: true, misr });
  });

  it('clears RES0 bits of list registers', () => {
    const priority = 0xf8n << 48n;
    const group = 1n << 60n;
    expect(report(0n, PENDING | group | priority | 40n).lists).toEqual([PENDING | group | priority | 40n]);
    // Unimplemented priority bits, bits 47:45 and 59:56, and INTID bits beyond the 16 of ICH_VTR_EL2.
    expect(report(0n, (7n << 48n) | (7n << 45n) | (0xfn << 56n) | (1n << 16n) | 40n).lists).toEqual([40n]);
  });

  it('is rejected with unimplemented priority bits or INTIDs in a valid list register', () => {
    expect(report(0n, PENDING | (1n << 48n) | 40n).valid).toBe(false);
    expect(report(0n, PENDING | (1n << 16n)).valid).toBe(false);
    expect(report(0n, PENDING | 8192n).valid).toBe(true);
  });
});
