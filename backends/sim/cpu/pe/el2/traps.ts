import type { ExceptionLevel } from '../../exception-level.ts';
import { trapsInterface } from '../../gic/virtual-registers.ts';
import { LEAVES } from '../../layout.ts';
import { Pstate } from '../pstate.ts';
import { encodeSysreg as e } from '../registers/row.ts';
import { El2Slot, type El2State, Hcr, HcrHigh } from './el2-state.ts';

/** MDCR_EL2 (Arm ARM, D24.3.17). */
const Mdcr = { TPMCR: 1 << 5, TPM: 1 << 6, TDE: 1 << 8, TDA: 1 << 9, TDOSA: 1 << 10, TDRA: 1 << 11 } as const;
/** CPTR_EL2: accesses to CPACR_EL1. */
const CPTR_TCPAC = 1 << 31;
/** CNTHCTL_EL2: what EL1 may use, in the two forms of the register. */
const Cnthctl = { EL1PCTEN: 1, EL1PCEN: 2, HOST_SHIFT: 10 } as const;

/** Whether EL2 traps an access that EL1 or EL0 would be permitted. */
type Trap = (el2: El2State, read: boolean) => boolean;

/** Where an instruction or register leads to EL2, by encoding. */
const traps = new Map<number, Trap>();

function trap(when: Trap, ...encodings: readonly number[]): void {
  for (const encoding of encodings) {
    const other = traps.get(encoding);
    traps.set(encoding, other === undefined ? when : (el2, read) => other(el2, read) || when(el2, read));
  }
}

/** By bits 31:0 of HCR_EL2. */
function hcr(bit: number): Trap {
  return (el2) => el2.hcr(bit);
}
function mdcr(bits: number): Trap {
  return (el2) => (el2.low(El2Slot.MDCR) & bits) !== 0;
}
function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}

// Controls of stage 1: TVM traps writes, TRVM reads. TCR2, PIR, PIRE0 and POR go with them.
trap(
  (el2, read) => el2.hcr(read ? Hcr.TRVM : Hcr.TVM),
  e(3, 0, 1, 0, 0),
  e(3, 0, 2, 0, 0),
  e(3, 0, 2, 0, 1),
  e(3, 0, 2, 0, 2),
  e(3, 0, 2, 0, 3),
  e(3, 0, 5, 1, 0),
  e(3, 0, 5, 1, 1),
  e(3, 0, 5, 2, 0),
  e(3, 0, 6, 0, 0),
  e(3, 0, 10, 2, 0),
  e(3, 0, 10, 2, 2),
  e(3, 0, 10, 2, 3),
  e(3, 0, 10, 2, 4),
  e(3, 0, 10, 3, 0),
  e(3, 0, 13, 0, 1),
);
// REVIDR_EL1 and AIDR_EL1.
trap(hcr(Hcr.TID1), e(3, 0, 0, 0, 6), e(3, 1, 0, 0, 7));
// CTR_EL0, CCSIDR_EL1, CLIDR_EL1 and CSSELR_EL1.
trap(hcr(Hcr.TID2), e(3, 3, 0, 0, 1), e(3, 1, 0, 0, 0), e(3, 1, 0, 0, 1), e(3, 2, 0, 0, 0));
// The ID registers: op1 = 0, CRn = 0, CRm = 1 to 7.
trap(hcr(Hcr.TID3), ...range(7 * 8).map((n) => e(3, 0, 0, 1 + (n >> 3), n & 7)));
trap(hcr(Hcr.TACR), e(3, 0, 1, 0, 1));
// The ten halves of the keys.
trap((el2) => (el2.high(El2Slot.HCR) & HcrHigh.APK) === 0, ...range(8).map((n) => e(3, 0, 2, 1 + (n >> 2), n & 3)));
trap((el2) => (el2.high(El2Slot.HCR) & HcrHigh.APK) === 0, e(3, 0, 2, 3, 0), e(3, 0, 2, 3, 1));
// Cache maintenance by set and way, to the point of coherency, and to that of unification.
trap(hcr(Hcr.TSW), ...[6, 10, 14].map((crm) => e(1, 0, 7, crm, 2)));
trap(hcr(Hcr.TPCP), e(1, 0, 7, 6, 1), ...[10, 12, 13, 14].map((crm) => e(1, 3, 7, crm, 1)));
trap(hcr(Hcr.TPU), e(1, 0, 7, 1, 0), e(1, 0, 7, 5, 0), e(1, 3, 7, 5, 1), e(1, 3, 7, 11, 1));
trap(hcr(Hcr.TDZ), e(1, 3, 7, 4, 1));
// TLBI of EL1, each with all its operands: CRn = 8.
trap(hcr(Hcr.TTLB), ...range(8 * 8).map((n) => e(1, 0, 8, n >> 3, n & 7)));
trap((el2) => (el2.low(El2Slot.CPTR) & CPTR_TCPAC) !== 0, e(3, 0, 1, 0, 2));
// The counter and the timer of EL1 that are physical.
trap((el2) => !mayUse(el2, Cnthctl.EL1PCTEN), e(3, 3, 14, 0, 1));
trap((el2) => !mayUse(el2, Cnthctl.EL1PCEN), ...[0, 1, 2].map((op2) => e(3, 3, 14, 2, op2)));
// Debug registers: MDCCINT, MDSCR, OSDTRRX, OSDTRTX, OSECCR, breakpoints, watchpoints, claims and authentication.
trap(
  mdcr(Mdcr.TDA | Mdcr.TDE),
  ...[2, 3].map((crm) => e(2, 0, 0, crm, 2)),
  e(2, 0, 0, 2, 0),
  e(2, 0, 0, 0, 2),
  e(2, 0, 0, 6, 2),
  ...range(16 * 4).map((n) => e(2, 0, 0, n >> 2, 4 + (n & 3))),
  e(2, 0, 7, 8, 6),
  e(2, 0, 7, 9, 6),
  e(2, 0, 7, 14, 6),
);
trap(mdcr(Mdcr.TDOSA | Mdcr.TDE), e(2, 0, 1, 0, 4), e(2, 0, 1, 1, 4), e(2, 0, 1, 3, 4), e(2, 0, 1, 4, 4));
trap(mdcr(Mdcr.TDRA | Mdcr.TDE), e(2, 0, 1, 0, 0));
// The PMU.
trap(
  mdcr(Mdcr.TPM),
  ...range(3 * 8).map((n) => e(3, 3, 9, 12 + (n >> 3), n & 7)),
  ...[1, 2].map((op2) => e(3, 0, 9, 14, op2)),
  e(3, 0, 9, 14, 6),
  ...range(8 * 8).map((n) => e(3, 3, 14, 8 + (n >> 3), n & 7)),
);
trap(mdcr(Mdcr.TPMCR), e(3, 3, 9, 12, 0));

/** CNTHCTL_EL2 has its bits for EL1 in another place while E2H is set. */
function mayUse(el2: El2State, bit: number): boolean {
  return (el2.low(El2Slot.CNTHCTL) & (el2.e2h ? bit << Cnthctl.HOST_SHIFT : bit)) !== 0;
}

/**
 * Whether EL2 takes an access of EL1 or EL0 to a system register, or a SYS instruction of theirs, which both are
 * permitted otherwise (HCR_EL2, MDCR_EL2, CPTR_EL2, CNTHCTL_EL2). HSTR_EL2 traps nothing in AArch64.
 */
export function trapsToEl2(el2: El2State, el: 0 | 1, encoding: number, read: boolean): boolean {
  // Traps of EL0 have no effect where EL0 belongs to a host at EL2.
  if (el === 0 && el2.hosts) return false;
  if (el === 1 && trapsInterface(el2, encoding)) return true;
  return traps.get(encoding)?.(el2, read) ?? false;
}

/** Whether HCR_EL2.TIDCP traps an encoding that is implementation defined: CRn is 11 or 15. */
export function isImplementationDefined(encoding: number): boolean {
  const op0 = encoding >> 14;
  const crn = (encoding >> 7) & 15;
  return (op0 === 1 || op0 === 3) && (crn === 11 || crn === 15);
}

/**
 * Whether an access of EL1 to registers that generated code would move itself is trapped: those of stage 1, faults,
 * keys and CPACR_EL1. It moves no others that can be trapped.
 */
export function trapsMoves(el2: El2State): boolean {
  const keys = (el2.high(El2Slot.HCR) & HcrHigh.APK) === 0;
  return keys || el2.hcr(Hcr.TVM | Hcr.TRVM) || (el2.low(El2Slot.CPTR) & CPTR_TCPAC) !== 0;
}

/** What generated code leaves to the run loop, by EL2 and for a PSTATE: bits of `LEAVES`. */
export function leaves(el2: El2State, pstate: number): number {
  const el = (pstate & Pstate.El) >> 2;
  if (el === 2) return el2.e2h ? LEAVES.Moves : 0;
  if (el === 0 && el2.hosts) return LEAVES.Zeroes;
  return (el === 1 && trapsMoves(el2) ? LEAVES.Moves : 0) | (el2.hcr(Hcr.TDZ) ? LEAVES.Zeroes : 0);
}

/** CPTR_EL2.TFP where HCR_EL2.E2H is 0; FPEN is where CPACR_EL1 has it where it is 1. */
const CPTR_TFP = 1 << 10;
const FPEN_SHIFT = 20;

/**
 * Where SIMD&FP instructions trap to in a context with EL2; undefined if they execute (Arm ARM,
 * CheckFPAdvSIMDEnabled64).
 */
export function simdTrapWithEl2(el2: El2State, el: ExceptionLevel, cpacr: number): 1 | 2 | undefined {
  const cptr = el2.low(El2Slot.CPTR);
  if (el < 2 && !el2.hosts && forbids(cpacr, el)) return 1;
  if (!el2.e2h) return (cptr & CPTR_TFP) === 0 ? undefined : 2;
  // EL1 is not the host's, nor EL0 without TGE: FPEN = 1 lets them execute.
  const host = el === 2 ? 1 : el === 0 && el2.tge ? 0 : undefined;
  const fpen = (cptr >>> FPEN_SHIFT) & 3;
  const forbidden = host === undefined ? fpen === 0 || fpen === 2 : forbids(cptr, host);
  return forbidden ? 2 : undefined;
}

/** CPACR_EL1.FPEN. */
function forbids(cpacr: number, el: ExceptionLevel): boolean {
  const fpen = (cpacr >>> FPEN_SHIFT) & 3;
  return fpen !== 3 && (fpen !== 1 || el === 0);
}

/** Whether EL2 takes debug exceptions of EL1 and EL0: MDCR_EL2.TDE or HCR_EL2.TGE. */
export function routesDebug(el2: El2State): boolean {
  return el2.tge || (el2.low(El2Slot.MDCR) & Mdcr.TDE) !== 0;
}
