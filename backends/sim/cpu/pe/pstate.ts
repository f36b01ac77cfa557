import type { ExceptionLevel } from '../exception-level.ts';

/** PSTATE in the format of SPSR_ELx (Arm ARM, C5.2.19). */
export const Pstate = {
  Mode: 0x1f,
  El0t: 0x00,
  El1t: 0x04,
  El1h: 0x05,
  El2t: 0x08,
  El2h: 0x09,
  El: 0x0c,
  SpSel: 1,
  Daif: 0x3c0,
  /** Masks of SError, IRQ and FIQ. */
  A: 1 << 8,
  I: 1 << 7,
  F: 1 << 6,
  /** How the PC got where it is: see `BranchType`. */
  Btype: 3 << 10,
  Ssbs: 1 << 12,
  /** Illegal Execution state. */
  Il: 1 << 20,
  Pan: 1 << 22,
  Uao: 1 << 23,
  Dit: 1 << 24,
  Nzcv: 0xf000_0000,
} as const;

/** Bit of SCTLR_EL1, and of its bits 63:32. */
const SCTLR_SPAN = 1 << 23;
const SCTLR_DSSBS = 1 << 12;

/** Whether an SPSR is one of AArch64 at an Exception level that there is, up to `highest`. */
export function validTarget(spsr: number, highest: ExceptionLevel): boolean {
  const mode = spsr & Pstate.Mode;
  if (mode === Pstate.El0t) return true;
  const level = mode >> 2;
  return (mode & 2) === 0 && level >= 1 && level <= Math.min(highest, 2);
}

/** Shift of PSTATE.BTYPE. */
export const BTYPE_SHIFT = 10;

/**
 * PSTATE and vector offset for an exception, the offset that of a synchronous one (Arm ARM, D1.3.2).
 *
 * @param target the Exception level that takes it
 * @param sctlr bits 31:0 of SCTLR_ELx @param sctlrHigh bits 63:32
 * @param hasUsers whether EL0 belongs to the target, so that SCTLR_ELx.SPAN counts
 */
export function exceptionEntry(
  pstate: number,
  target: 1 | 2,
  sctlr: number,
  sctlrHigh: number,
  hasUsers: boolean,
): { pstate: number; vector: bigint } {
  const handler = target === 2 ? Pstate.El2h : Pstate.El1h;
  const same = (pstate & Pstate.El) === (handler & Pstate.El);
  const vector = same ? ((pstate & Pstate.SpSel) === 0 ? 0x000n : 0x200n) : 0x400n;
  const pan = hasUsers && (sctlr & SCTLR_SPAN) === 0 ? Pstate.Pan : pstate & Pstate.Pan;
  const ssbs = (sctlrHigh & SCTLR_DSSBS) === 0 ? 0 : Pstate.Ssbs;
  return { pstate: handler | Pstate.Daif | pan | ssbs | (pstate & Pstate.Dit), vector };
}
