import { VcpuState } from '../../layout.ts';
import { encodeSysreg as e, keeps, type RegisterRow } from './row.ts';

/** Reset value of a plane, by the RMM specification or TF-RMM (rec.c); it is zero for other registers. */
const SCTLR_RESET = 0xc5_0878n;

/** System registers that hold the value written to them (Arm ARM, D24). */
export const keptRegisters = {
  SCTLR_EL1: keeps(e(3, 0, 1, 0, 0), { reset: SCTLR_RESET, stage1: 'controls' }),
  ACTLR_EL1: keeps(e(3, 0, 1, 0, 1), { el2Traps: true }),
  CPACR_EL1: keeps(e(3, 0, 1, 0, 2)),
  TTBR0_EL1: keeps(e(3, 0, 2, 0, 0), { stage1: 'tables' }),
  TTBR1_EL1: keeps(e(3, 0, 2, 0, 1), { stage1: 'tables' }),
  TCR_EL1: keeps(e(3, 0, 2, 0, 2), { stage1: 'controls' }),
  TCR2_EL1: keeps(e(3, 0, 2, 0, 3)),
  APIAKeyLo_EL1: keeps(e(3, 0, 2, 1, 0)),
  APIAKeyHi_EL1: keeps(e(3, 0, 2, 1, 1)),
  APIBKeyLo_EL1: keeps(e(3, 0, 2, 1, 2)),
  APIBKeyHi_EL1: keeps(e(3, 0, 2, 1, 3)),
  APDAKeyLo_EL1: keeps(e(3, 0, 2, 2, 0)),
  APDAKeyHi_EL1: keeps(e(3, 0, 2, 2, 1)),
  APDBKeyLo_EL1: keeps(e(3, 0, 2, 2, 2)),
  APDBKeyHi_EL1: keeps(e(3, 0, 2, 2, 3)),
  APGAKeyLo_EL1: keeps(e(3, 0, 2, 3, 0)),
  APGAKeyHi_EL1: keeps(e(3, 0, 2, 3, 1)),
  SPSR_EL1: keeps(e(3, 0, 4, 0, 0)),
  ELR_EL1: keeps(e(3, 0, 4, 0, 1)),
  AFSR0_EL1: keeps(e(3, 0, 5, 1, 0)),
  AFSR1_EL1: keeps(e(3, 0, 5, 1, 1)),
  ESR_EL1: keeps(e(3, 0, 5, 2, 0)),
  FAR_EL1: keeps(e(3, 0, 6, 0, 0)),
  PAR_EL1: keeps(e(3, 0, 7, 4, 0)),
  MAIR_EL1: keeps(e(3, 0, 10, 2, 0), { stage1: 'controls' }),
  PIRE0_EL1: keeps(e(3, 0, 10, 2, 2)),
  PIR_EL1: keeps(e(3, 0, 10, 2, 3)),
  POR_EL1: keeps(e(3, 0, 10, 2, 4)),
  AMAIR_EL1: keeps(e(3, 0, 10, 3, 0)),
  VBAR_EL1: keeps(e(3, 0, 12, 0, 0)),
  DISR_EL1: keeps(e(3, 0, 12, 1, 1)),
  CONTEXTIDR_EL1: keeps(e(3, 0, 13, 0, 1)),
  TPIDR_EL1: keeps(e(3, 0, 13, 0, 4)),
  CNTKCTL_EL1: keeps(e(3, 0, 14, 1, 0)),
  CSSELR_EL1: keeps(e(3, 2, 0, 0, 0), { el2Traps: true }),
  MDSCR_EL1: keeps(e(2, 0, 0, 2, 2), { el2Traps: true, reset: 1n << 12n }),
  MDCCINT_EL1: keeps(e(2, 0, 0, 2, 0), { el2Traps: true }),
  TPIDR_EL0: keeps(e(3, 3, 13, 0, 2), { el: 0 }),
  TPIDRRO_EL0: keeps(e(3, 3, 13, 0, 3), { readEl: 0 }),
  // AHP, DN, FZ, RMode and FZ16. Trapped exceptions are not implemented, so their enables read as zero (Arm ARM, FPCR).
  FPCR: keeps(e(3, 3, 4, 4, 0), { el: 0, simd: true, place: VcpuState.Fpcr, writable: 0x07c8_0000n }),
  FPSR: keeps(e(3, 3, 4, 4, 1), { el: 0, simd: true, place: VcpuState.Fpsr, writable: 0xf800_009fn }),
} satisfies Readonly<Record<string, RegisterRow>>;
