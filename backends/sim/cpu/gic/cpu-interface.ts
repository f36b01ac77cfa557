import { behaves, constant, encodeSysreg as e, ignored, keeps, type RegisterRow } from '../pe/registers/row.ts';

/** The special INTID for "no pending interrupt". */
const NO_INTERRUPT = 1023n;

/**
 * The CPU interface of GICv3 (IHI0069, 12.2) with 5 bits of priority and of preemption; no interrupt is ever delivered.
 * Accesses that generate or deactivate interrupts are trapped to EL2 (ICH_HCR_EL2.TC and TDIR).
 */
export const cpuInterface = {
  ICC_PMR_EL1: keeps(e(3, 0, 4, 6, 0), { writable: 0xf8n }),
  ICC_IAR0_EL1: constant(e(3, 0, 12, 8, 0), NO_INTERRUPT),
  ICC_EOIR0_EL1: behaves(e(3, 0, 12, 8, 1), { write: ignored }),
  ICC_HPPIR0_EL1: constant(e(3, 0, 12, 8, 2), NO_INTERRUPT),
  ICC_BPR0_EL1: keeps(e(3, 0, 12, 8, 3), { reset: 2n, writable: 7n }),
  ICC_AP0R0_EL1: keeps(e(3, 0, 12, 8, 4), { writable: 0xffff_ffffn }),
  ICC_AP1R0_EL1: keeps(e(3, 0, 12, 9, 0), { writable: 0xffff_ffffn }),
  ICC_DIR_EL1: behaves(e(3, 0, 12, 11, 1), { trapsWrites: true }),
  // The idle priority: nothing is active.
  ICC_RPR_EL1: constant(e(3, 0, 12, 11, 3), 0xffn),
  ICC_SGI1R_EL1: behaves(e(3, 0, 12, 11, 5), { trapsWrites: true }),
  ICC_ASGI1R_EL1: behaves(e(3, 0, 12, 11, 6), { trapsWrites: true }),
  ICC_SGI0R_EL1: behaves(e(3, 0, 12, 11, 7), { trapsWrites: true }),
  ICC_IAR1_EL1: constant(e(3, 0, 12, 12, 0), NO_INTERRUPT),
  ICC_EOIR1_EL1: behaves(e(3, 0, 12, 12, 1), { write: ignored }),
  ICC_HPPIR1_EL1: constant(e(3, 0, 12, 12, 2), NO_INTERRUPT),
  ICC_BPR1_EL1: keeps(e(3, 0, 12, 12, 3), { reset: 3n, writable: 7n }),
  ICC_CTLR_EL1: keeps(e(3, 0, 12, 12, 4), { reset: 0x400n, writable: 3n }),
  // SRE, DFB, DIB: system registers are the only interface.
  ICC_SRE_EL1: behaves(e(3, 0, 12, 12, 5), { read: () => 7n, write: ignored }),
  ICC_IGRPEN0_EL1: keeps(e(3, 0, 12, 12, 6), { writable: 1n }),
  ICC_IGRPEN1_EL1: keeps(e(3, 0, 12, 12, 7), { writable: 1n }),
} satisfies Readonly<Record<string, RegisterRow>>;
