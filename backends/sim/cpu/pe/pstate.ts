/** PSTATE in the format of SPSR_ELx (Arm ARM, C5.2.19). */
export const Pstate = {
  Mode: 0x1f,
  El0t: 0x00,
  El1t: 0x04,
  El1h: 0x05,
  El: 0x0c,
  SpSel: 1,
  Daif: 0x3c0,
  /** Masks of IRQ and FIQ. */
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

/** Whether an exception return to this SPSR is legal: to AArch64 at EL0 or EL1. */
export function validTarget(spsr: number): boolean {
  const mode = spsr & Pstate.Mode;
  return mode === Pstate.El0t || mode === Pstate.El1t || mode === Pstate.El1h;
}

/** Shift of PSTATE.BTYPE. */
export const BTYPE_SHIFT = 10;

/**
 * PSTATE and vector offset for an exception to EL1, the offset that of a synchronous one (Arm ARM, D1.3.2).
 *
 * @param sctlr bits 31:0 of SCTLR_EL1 @param sctlrHigh bits 63:32
 */
export function exceptionEntry(pstate: number, sctlr: number, sctlrHigh: number): { pstate: number; vector: bigint } {
  const mode = pstate & Pstate.Mode;
  const vector = mode === Pstate.El1h ? 0x200n : mode === Pstate.El1t ? 0x000n : 0x400n;
  const pan = (sctlr & SCTLR_SPAN) === 0 ? Pstate.Pan : pstate & Pstate.Pan;
  const ssbs = (sctlrHigh & SCTLR_DSSBS) === 0 ? 0 : Pstate.Ssbs;
  return { pstate: Pstate.El1h | Pstate.Daif | pan | ssbs | (pstate & Pstate.Dit), vector };
}
