import { CYCLE_COUNTER, EVENT_COUNTERS, type Pmu, PmuEvent } from '../pmu.ts';
import { behaves, encodeSysreg as e, ignored, keeps, type RegisterRow } from './row.ts';

/** PMUSERENR_EL0: what EL0 may access. */
const Userenr = { EN: 1, SW: 2, CR: 4, ER: 8 } as const;
/** PMCR_EL0: implementer Arm, the number of event counters, and LC, which is one without AArch32. */
const PMCR_FIXED = (0x41n << 24n) | (BigInt(EVENT_COUNTERS) << 11n) | (1n << 6n);
/** PMCR_EL0 as the RMM resets it. */
const PMCR_RESET = 0x60n;
/** PMCEID0_EL0: common events 0 to 31 that are counted. */
const EVENTS = Object.values(PmuEvent).reduce((bits, event) => bits | (1n << BigInt(event)), 0n);
const LOW = 0xffff_ffffn;
const SELECTOR = 31n;

const allows =
  (bits: number) =>
  (_sctlr: number, _cntkctl: number, userenr: number): boolean =>
    (userenr & (Userenr.EN | bits)) !== 0;
const anything = { el: 0, el0: allows(0) } as const;
/** Registers that more bits than EN let EL0 read. */
const reads = (bits: number): Pick<RegisterRow, 'el' | 'el0' | 'el0Write'> => ({
  el: 0,
  el0: allows(bits),
  el0Write: allows(0),
});

const PMSELR_EL0 = e(3, 3, 9, 12, 5);

/** A register that does what it is to do if the PE has a PMU; otherwise it keeps what is written to it. */
function monitors(
  encoding: number,
  options: Pick<RegisterRow, 'reset'> & Partial<Pick<RegisterRow, 'el' | 'el0' | 'el0Write'>>,
  read: (pmu: Pmu) => bigint,
  write: (pmu: Pmu, value: bigint) => void,
): RegisterRow {
  return {
    ...keeps(encoding, options),
    read: (_context, { pmu }, kept) => (pmu === undefined ? kept : read(pmu)),
    write: (_context, value, { pmu }) => {
      if (pmu !== undefined) write(pmu, value);
    },
  };
}

type Bits = 'enabled' | 'interrupts' | 'overflows';
const setBits = (what: Bits) => (pmu: Pmu, value: bigint) => {
  pmu.change(what, 0, Number(value & LOW));
};

/** A register that clears the bits of one that sets them. */
function clears(encoding: number, what: Bits, options: Partial<RegisterRow>): RegisterRow {
  return behaves(encoding, {
    ...options,
    read: (_context, { pmu }) => BigInt(pmu?.[what] ?? 0),
    write: (_context, value, { pmu }) => pmu?.change(what, Number(value & LOW), 0),
  });
}

/** A counter: its number may depend on PMSELR_EL0. */
function counter(encoding: number, options: Partial<RegisterRow>, of: (selector: number) => number): RegisterRow {
  return behaves(encoding, {
    ...options,
    read: (context, { pmu }) => pmu?.value(of(selected(context))) ?? 0n,
    write: (context, value, { pmu }) => {
      const number = of(selected(context));
      if (number < EVENT_COUNTERS) pmu?.setValue(number, value);
    },
  });
}

function type(encoding: number, of: (selector: number) => number): RegisterRow {
  return behaves(encoding, {
    ...anything,
    read: (context, { pmu }) => BigInt(pmu?.type(of(selected(context))) ?? 0),
    write: (context, value, { pmu }) => {
      pmu?.setType(of(selected(context)), Number(value & LOW));
    },
  });
}

function selected(context: { sysreg(encoding: number): bigint | undefined }): number {
  return Number((context.sysreg(PMSELR_EL0) ?? 0n) & SELECTOR);
}

const numbered = Array.from({ length: EVENT_COUNTERS }, (_, n): [string, RegisterRow][] => [
  [`PMEVCNTR${String(n)}_EL0`, counter(e(3, 3, 14, 8, n), reads(Userenr.ER), () => n)],
  [`PMEVTYPER${String(n)}_EL0`, type(e(3, 3, 14, 12, n), () => n)],
]).flat();

/** The performance monitors (Arm ARM, D24.5). */
export const performanceRegisters = {
  PMCR_EL0: monitors(
    e(3, 3, 9, 12, 0),
    { ...anything, reset: PMCR_RESET },
    (pmu) => PMCR_FIXED | BigInt(pmu.control),
    (pmu, value) => {
      pmu.control = Number(value & LOW);
    },
  ),
  PMCNTENSET_EL0: monitors(e(3, 3, 9, 12, 1), anything, (pmu) => BigInt(pmu.enabled), setBits('enabled')),
  PMCNTENCLR_EL0: clears(e(3, 3, 9, 12, 2), 'enabled', anything),
  PMOVSCLR_EL0: clears(e(3, 3, 9, 12, 3), 'overflows', anything),
  PMSWINC_EL0: behaves(e(3, 3, 9, 12, 4), {
    el: 0,
    el0: allows(Userenr.SW),
    write: (context, value, { pmu }) => pmu?.increment(Number(value & LOW), context.el),
  }),
  PMSELR_EL0: keeps(PMSELR_EL0, { el: 0, el0: allows(Userenr.ER), writable: SELECTOR }),
  PMCEID0_EL0: behaves(e(3, 3, 9, 12, 6), { ...anything, read: (_context, { pmu }) => (pmu ? EVENTS : 0n) }),
  PMCEID1_EL0: behaves(e(3, 3, 9, 12, 7), { ...anything, read: () => 0n }),
  PMCCNTR_EL0: monitors(
    e(3, 3, 9, 13, 0),
    reads(Userenr.CR),
    (pmu) => pmu.value(CYCLE_COUNTER),
    (pmu, value) => {
      pmu.setValue(CYCLE_COUNTER, value);
    },
  ),
  PMXEVTYPER_EL0: type(e(3, 3, 9, 13, 1), (selector) => selector),
  PMXEVCNTR_EL0: counter(e(3, 3, 9, 13, 2), reads(Userenr.ER), (selector) =>
    selector === CYCLE_COUNTER ? EVENT_COUNTERS : selector,
  ),
  PMUSERENR_EL0: keeps(e(3, 3, 9, 14, 0), { readEl: 0, writable: 15n }),
  PMINTENSET_EL1: monitors(e(3, 0, 9, 14, 1), {}, (pmu) => BigInt(pmu.interrupts), setBits('interrupts')),
  PMINTENCLR_EL1: clears(e(3, 0, 9, 14, 2), 'interrupts', {}),
  PMOVSSET_EL0: monitors(e(3, 3, 9, 14, 3), anything, (pmu) => BigInt(pmu.overflows), setBits('overflows')),
  PMMIR_EL1: behaves(e(3, 0, 9, 14, 6), { read: () => 0n, write: ignored }),
  PMCCFILTR_EL0: monitors(
    e(3, 3, 14, 15, 7),
    anything,
    (pmu) => BigInt(pmu.type(CYCLE_COUNTER)),
    (pmu, value) => {
      pmu.setType(CYCLE_COUNTER, Number(value & LOW));
    },
  ),
  ...(Object.fromEntries(numbered) as Record<string, RegisterRow>),
} satisfies Readonly<Record<string, RegisterRow>>;
