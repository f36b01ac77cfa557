import type { ExceptionLevel } from '../../exception-level.ts';
import { virtualRegister } from '../../gic/virtual-registers.ts';
import { encodeSysreg as e } from '../registers/row.ts';
import type { El2State } from './el2-state.ts';

/** Registers of EL1 that stand for those of EL2 while HCR_EL2.E2H is set: [name, CRn, CRm, op2] (Arm ARM, D1.3.5.2). */
const names: readonly (readonly [crn: number, crm: number, op2: number])[] = [
  [1, 0, 0], // SCTLR
  [1, 0, 2], // CPACR, which is CPTR_EL2
  [2, 0, 0], // TTBR0
  [2, 0, 1], // TTBR1
  [2, 0, 2], // TCR
  [4, 0, 0], // SPSR
  [4, 0, 1], // ELR
  [5, 1, 0], // AFSR0
  [5, 1, 1], // AFSR1
  [5, 2, 0], // ESR
  [6, 0, 0], // FAR
  [10, 2, 0], // MAIR
  [10, 3, 0], // AMAIR
  [12, 0, 0], // VBAR
  [13, 0, 1], // CONTEXTIDR
  [14, 1, 0], // CNTKCTL, which is CNTHCTL_EL2
];
/** CRm of CNTP and CNTV with their EL2 counterparts, and op2 of TVAL, CTL and CVAL. */
const TIMERS = [2, 3] as const;
const TIMER_OP2 = [0, 1, 2] as const;

const CPACR_EL1 = e(3, 0, 1, 0, 2);
const CPTR_EL2 = e(3, 4, 1, 1, 2);

/** Encodings of timers of EL0 by those of EL2. */
const timers = new Map<number, number>();
const atEl2 = new Map<number, number>();
for (const [crn, crm, op2] of names) {
  const el1 = e(3, 0, crn, crm, op2);
  atEl2.set(el1, el1 === CPACR_EL1 ? CPTR_EL2 : e(3, 4, crn, crm, op2));
  // The aliases _EL12.
  atEl2.set(e(3, 5, crn, crm, op2), el1);
}
for (const crm of TIMERS) {
  for (const op2 of TIMER_OP2) {
    const el0 = e(3, 3, 14, crm, op2);
    timers.set(el0, e(3, 4, 14, crm, op2));
    atEl2.set(el0, e(3, 4, 14, crm, op2));
    // The aliases _EL02.
    atEl2.set(e(3, 5, 14, crm, op2), el0);
  }
}

/**
 * The register that a name means to an Exception level: others to EL2 while
 * HCR_EL2.E2H is set, to its EL0, and to EL1 where EL2 virtualizes interrupts.
 */
export function redirected(el2: El2State, el: ExceptionLevel, encoding: number): number {
  if (el === 2 && el2.e2h) return atEl2.get(encoding) ?? encoding;
  if (el === 1) return virtualRegister(el2, encoding);
  if (el === 0 && el2.hosts) return timers.get(encoding) ?? encoding;
  return encoding;
}
