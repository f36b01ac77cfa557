import { ContextState, VcpuState } from '../layout.ts';

/** op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2. */
export function encodeSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

interface Row {
  /** Exception level that may use it: 0 or 1; `read` at EL0 but written at EL1 only. */
  readonly el: 0 | 1 | 'read';
  readonly reset?: bigint;
  /** Its place, where it is not in the array of system registers. */
  readonly slot?: number;
  /** Bits that a write may change; default all. */
  readonly writable?: bigint;
}

const e = encodeSysreg;
/** Reset values that the RMM specification or TF-RMM give a plane (rec.c), else zero. */
const SCTLR_RESET = 0xc5_0878n;

/**
 * System registers that hold what was written to them, by name and encoding (Arm ARM, D24). Registers that do more than that are in
 * system-instructions.ts.
 */
const table: Readonly<Record<string, readonly [number, Row]>> = {
  SCTLR_EL1: [e(3, 0, 1, 0, 0), { el: 1, reset: SCTLR_RESET }],
  ACTLR_EL1: [e(3, 0, 1, 0, 1), { el: 1 }],
  CPACR_EL1: [e(3, 0, 1, 0, 2), { el: 1 }],
  TTBR0_EL1: [e(3, 0, 2, 0, 0), { el: 1 }],
  TTBR1_EL1: [e(3, 0, 2, 0, 1), { el: 1 }],
  TCR_EL1: [e(3, 0, 2, 0, 2), { el: 1 }],
  TCR2_EL1: [e(3, 0, 2, 0, 3), { el: 1 }],
  APIAKeyLo_EL1: [e(3, 0, 2, 1, 0), { el: 1 }],
  APIAKeyHi_EL1: [e(3, 0, 2, 1, 1), { el: 1 }],
  APIBKeyLo_EL1: [e(3, 0, 2, 1, 2), { el: 1 }],
  APIBKeyHi_EL1: [e(3, 0, 2, 1, 3), { el: 1 }],
  APDAKeyLo_EL1: [e(3, 0, 2, 2, 0), { el: 1 }],
  APDAKeyHi_EL1: [e(3, 0, 2, 2, 1), { el: 1 }],
  APDBKeyLo_EL1: [e(3, 0, 2, 2, 2), { el: 1 }],
  APDBKeyHi_EL1: [e(3, 0, 2, 2, 3), { el: 1 }],
  APGAKeyLo_EL1: [e(3, 0, 2, 3, 0), { el: 1 }],
  APGAKeyHi_EL1: [e(3, 0, 2, 3, 1), { el: 1 }],
  SPSR_EL1: [e(3, 0, 4, 0, 0), { el: 1 }],
  ELR_EL1: [e(3, 0, 4, 0, 1), { el: 1 }],
  AFSR0_EL1: [e(3, 0, 5, 1, 0), { el: 1 }],
  AFSR1_EL1: [e(3, 0, 5, 1, 1), { el: 1 }],
  ESR_EL1: [e(3, 0, 5, 2, 0), { el: 1 }],
  FAR_EL1: [e(3, 0, 6, 0, 0), { el: 1 }],
  PAR_EL1: [e(3, 0, 7, 4, 0), { el: 1 }],
  MAIR_EL1: [e(3, 0, 10, 2, 0), { el: 1 }],
  PIRE0_EL1: [e(3, 0, 10, 2, 2), { el: 1 }],
  PIR_EL1: [e(3, 0, 10, 2, 3), { el: 1 }],
  POR_EL1: [e(3, 0, 10, 2, 4), { el: 1 }],
  AMAIR_EL1: [e(3, 0, 10, 3, 0), { el: 1 }],
  VBAR_EL1: [e(3, 0, 12, 0, 0), { el: 1 }],
  DISR_EL1: [e(3, 0, 12, 1, 1), { el: 1 }],
  CONTEXTIDR_EL1: [e(3, 0, 13, 0, 1), { el: 1 }],
  TPIDR_EL1: [e(3, 0, 13, 0, 4), { el: 1 }],
  CNTKCTL_EL1: [e(3, 0, 14, 1, 0), { el: 1 }],
  CSSELR_EL1: [e(3, 2, 0, 0, 0), { el: 1 }],
  MDSCR_EL1: [e(2, 0, 0, 2, 2), { el: 1, reset: 1n << 12n }],
  MDCCINT_EL1: [e(2, 0, 0, 2, 0), { el: 1 }],
  TPIDR_EL0: [e(3, 3, 13, 0, 2), { el: 0 }],
  TPIDRRO_EL0: [e(3, 3, 13, 0, 3), { el: 'read' }],
  CNTP_CTL_EL0: [e(3, 3, 14, 2, 1), { el: 1 }],
  CNTP_CVAL_EL0: [e(3, 3, 14, 2, 2), { el: 1 }],
  CNTV_CTL_EL0: [e(3, 3, 14, 3, 1), { el: 1 }],
  CNTV_CVAL_EL0: [e(3, 3, 14, 3, 2), { el: 1 }],
  PMCR_EL0: [e(3, 3, 9, 12, 0), { el: 1, reset: 0x60n }],
  PMCNTENSET_EL0: [e(3, 3, 9, 12, 1), { el: 1 }],
  PMSELR_EL0: [e(3, 3, 9, 12, 5), { el: 1 }],
  PMCCNTR_EL0: [e(3, 3, 9, 13, 0), { el: 1 }],
  PMUSERENR_EL0: [e(3, 3, 9, 14, 0), { el: 1 }],
  PMOVSSET_EL0: [e(3, 3, 9, 14, 3), { el: 1 }],
  PMINTENSET_EL1: [e(3, 0, 9, 14, 1), { el: 1 }],
  PMCCFILTR_EL0: [e(3, 3, 14, 15, 7), { el: 1 }],
  // The CPU interface of GICv3 (IHI0069, 12.2), while no interrupt is ever delivered: 5 bits of priority and of preemption.
  ICC_PMR_EL1: [e(3, 0, 4, 6, 0), { el: 1, writable: 0xf8n }],
  ICC_BPR0_EL1: [e(3, 0, 12, 8, 3), { el: 1, reset: 2n, writable: 7n }],
  ICC_AP0R0_EL1: [e(3, 0, 12, 8, 4), { el: 1, writable: 0xffff_ffffn }],
  ICC_AP1R0_EL1: [e(3, 0, 12, 9, 0), { el: 1, writable: 0xffff_ffffn }],
  ICC_BPR1_EL1: [e(3, 0, 12, 12, 3), { el: 1, reset: 3n, writable: 7n }],
  ICC_CTLR_EL1: [e(3, 0, 12, 12, 4), { el: 1, reset: 0x400n, writable: 3n }],
  ICC_IGRPEN0_EL1: [e(3, 0, 12, 12, 6), { el: 1, writable: 1n }],
  ICC_IGRPEN1_EL1: [e(3, 0, 12, 12, 7), { el: 1, writable: 1n }],
  // AHP, DN, FZ and RMode: without trapped exceptions, their enables read as zero (Arm ARM, FPCR).
  FPCR: [e(3, 3, 4, 4, 0), { el: 0, slot: VcpuState.Fpcr, writable: 0x07c0_0000n }],
  FPSR: [e(3, 3, 4, 4, 1), { el: 0, slot: VcpuState.Fpsr, writable: 0xf800_009fn }],
};

/** A system register that the CPU keeps. */
export interface Sysreg {
  readonly name: string;
  readonly encoding: number;
  readonly el: Row['el'];
  readonly reset: bigint;
  /** Offset in the state. */
  readonly slot: number;
  readonly writable: bigint;
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

export const sysregs: readonly Sysreg[] = Object.entries(table).map(([name, [encoding, row]], index) => ({
  name,
  encoding,
  el: row.el,
  reset: row.reset ?? 0n,
  slot: row.slot ?? ContextState.Sysregs + index * 8,
  writable: row.writable ?? ALL_ONES,
}));

const byEncoding = new Map(sysregs.map((register) => [register.encoding, register]));

export function findSysreg(encoding: number): Sysreg | undefined {
  return byEncoding.get(encoding);
}

/** Place of a register that a plain move at any Exception level may read or write, else undefined. */
export function userSysregSlot(encoding: number, write: boolean): number | undefined {
  const register = byEncoding.get(encoding);
  if (register === undefined || register.writable !== ALL_ONES) return undefined;
  return register.el === 0 || (register.el === 'read' && !write) ? register.slot : undefined;
}

/** Encodings of registers that have a meaning of their own. */
export const sysreg = {
  NZCV: e(3, 3, 4, 2, 0),
  DAIF: e(3, 3, 4, 2, 1),
  CurrentEL: e(3, 0, 4, 2, 2),
  SPSel: e(3, 0, 4, 2, 0),
  PAN: e(3, 0, 4, 2, 3),
  UAO: e(3, 0, 4, 2, 4),
  FPCR: e(3, 3, 4, 4, 0),
  FPSR: e(3, 3, 4, 4, 1),
  SP_EL0: e(3, 0, 4, 1, 0),
  SP_EL1: e(3, 4, 4, 1, 0),
  CNTFRQ_EL0: e(3, 3, 14, 0, 0),
  CNTPCT_EL0: e(3, 3, 14, 0, 1),
  CNTVCT_EL0: e(3, 3, 14, 0, 2),
  CTR_EL0: e(3, 3, 0, 0, 1),
  DCZID_EL0: e(3, 3, 0, 0, 7),
  MIDR_EL1: e(3, 0, 0, 0, 0),
  MPIDR_EL1: e(3, 0, 0, 0, 5),
  REVIDR_EL1: e(3, 0, 0, 0, 6),
  ISR_EL1: e(3, 0, 12, 1, 0),
  OSLAR_EL1: e(2, 0, 1, 0, 4),
  OSLSR_EL1: e(2, 0, 1, 1, 4),
  OSDLR_EL1: e(2, 0, 1, 3, 4),
  CCSIDR_EL1: e(3, 1, 0, 0, 0),
  CLIDR_EL1: e(3, 1, 0, 0, 1),
  ICC_IAR0_EL1: e(3, 0, 12, 8, 0),
  ICC_EOIR0_EL1: e(3, 0, 12, 8, 1),
  ICC_HPPIR0_EL1: e(3, 0, 12, 8, 2),
  ICC_DIR_EL1: e(3, 0, 12, 11, 1),
  ICC_RPR_EL1: e(3, 0, 12, 11, 3),
  ICC_SGI1R_EL1: e(3, 0, 12, 11, 5),
  ICC_ASGI1R_EL1: e(3, 0, 12, 11, 6),
  ICC_SGI0R_EL1: e(3, 0, 12, 11, 7),
  ICC_IAR1_EL1: e(3, 0, 12, 12, 0),
  ICC_EOIR1_EL1: e(3, 0, 12, 12, 1),
  ICC_HPPIR1_EL1: e(3, 0, 12, 12, 2),
  ICC_SRE_EL1: e(3, 0, 12, 12, 5),
} as const;

/** Offset of a register that is known by name; for the CPU's own use. */
export function slotOf(name: string): number {
  const register = sysregs.find((candidate) => candidate.name === name);
  if (register === undefined) throw new RangeError(`no system register ${name}`);
  return register.slot;
}
