/**
 * System registers of an auxiliary plane that plane 0 may access with RSI_PLANE_SYSREG_READ and _WRITE, by
 * op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2 (RMM specification 1.1, A10.3).
 */
export const SysregEncoding = {
  ACTLR_EL1: 0xc081,
  AFSR0_EL1: 0xc288,
  AFSR1_EL1: 0xc289,
  AMAIR_EL1: 0xc518,
  APIAKeyLo_EL1: 0xc108,
  APIAKeyHi_EL1: 0xc109,
  APIBKeyLo_EL1: 0xc10a,
  APIBKeyHi_EL1: 0xc10b,
  APDAKeyLo_EL1: 0xc110,
  APDAKeyHi_EL1: 0xc111,
  APDBKeyLo_EL1: 0xc112,
  APDBKeyHi_EL1: 0xc113,
  APGAKeyLo_EL1: 0xc118,
  APGAKeyHi_EL1: 0xc119,
  BRBCR_EL1: 0x8c80,
  CNTKCTL_EL1: 0xc708,
  CONTEXTIDR_EL1: 0xc681,
  CPACR_EL1: 0xc082,
  CSSELR_EL1: 0xd000,
  DISR_EL1: 0xc609,
  ELR_EL1: 0xc201,
  ESR_EL1: 0xc290,
  FAR_EL1: 0xc300,
  MAIR_EL1: 0xc510,
  MDCCINT_EL1: 0x8010,
  MDSCR_EL1: 0x8012,
  PAR_EL1: 0xc3a0,
  PIR_EL1: 0xc513,
  PIRE0_EL1: 0xc512,
  POR_EL1: 0xc514,
  SCTLR_EL1: 0xc080,
  SP_EL0: 0xc208,
  SP_EL1: 0xe208,
  SPSR_EL1: 0xc200,
  TCR_EL1: 0xc102,
  TCR2_EL1: 0xc103,
  TPIDR_EL0: 0xde82,
  TPIDR_EL1: 0xc684,
  TPIDRRO_EL0: 0xde83,
  TTBR0_EL1: 0xc100,
  TTBR1_EL1: 0xc101,
  VBAR_EL1: 0xc600,
  ZCR_EL1: 0xc090,
  CNTP_CTL_EL0: 0xdf11,
  CNTP_CVAL_EL0: 0xdf12,
  CNTV_CTL_EL0: 0xdf19,
  CNTV_CVAL_EL0: 0xdf1a,
  PMCR_EL0: 0xdce0,
  PMCCFILTR_EL0: 0xdf7f,
  PMCCNTR_EL0: 0xdce8,
  PMCNTENSET_EL0: 0xdce1,
  PMINTENSET_EL1: 0xc4f1,
  PMOVSSET_EL0: 0xdcf3,
  PMSELR_EL0: 0xdce5,
  PMUSERENR_EL0: 0xdcf0,
} as const;

/** PMEVCNTRn_EL0 and PMEVTYPERn_EL0 for n = 0 to 30; what would be PMEVTYPER31_EL0 is PMCCFILTR_EL0. */
const PMEVCNTR0_EL0 = 0xdf40;
const PMEVTYPER0_EL0 = 0xdf60;
const EVENT_COUNTERS = 31;

const ACCESSIBLE: ReadonlySet<number> = new Set(Object.values(SysregEncoding));

/**
 * Whether plane 0 may access a register. Bit 16 marks a 128-bit access, which needs FEAT_SYSREG128: not implemented.
 */
export function isAccessibleSysreg(encoding: number): boolean {
  if (ACCESSIBLE.has(encoding)) return true;
  const counter = encoding >= PMEVTYPER0_EL0 ? encoding - PMEVTYPER0_EL0 : encoding - PMEVCNTR0_EL0;
  return counter >= 0 && counter < EVENT_COUNTERS;
}
