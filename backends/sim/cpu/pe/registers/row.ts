import type { ExceptionLevel } from '../../exception-level.ts';
import type { TlbInvalidation } from '../../mmu/tlb-invalidation.ts';
import type { El2Slot, El2State } from '../el2/el2-state.ts';
import type { Pmu } from '../pmu.ts';
import type { VirtualInterface } from '../../gic/virtual-interface.ts';
import type { InterruptGroup } from '../../gic/interrupt-routing.ts';

/** op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2. */
export function encodeSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

/** The context that accesses a register, as seen by the register. */
export interface RegisterAccess {
  readonly el: ExceptionLevel;
  readonly pstate: number;
  /** PSTATE except NZCV. */
  setMode(value: number): void;
  setNzcv(value: number): void;
  /** The registers of EL2, if there is one. */
  readonly el2: El2State | undefined;
  /** What the virtual counter is behind the physical one here. */
  readonly virtualOffset: bigint;
  /** To be called after a write of a register of EL2 that others depend on: HCR_EL2, stage 1 of EL2, or stage 2. */
  el2Changed(what: 'el2' | 'el2-regime' | 'stage2'): void;
  sysreg(encoding: number): bigint | undefined;
  setSysreg(encoding: number, value: bigint): boolean;
}

/** The PE and the machine, as seen by a register. */
export interface RegisterHost {
  /** Affinity fields of MPIDR_EL1. */
  readonly mpidr: number;
  /** Guest time in nanoseconds. */
  readonly now: number;
  /** What the CPU interface does, if the machine has an interrupt controller. */
  readonly interrupts: InterruptInterface | undefined;
  /** The performance monitors, if the PE has them. */
  readonly pmu: Pmu | undefined;
  /** The Event Register. */
  event: boolean;
  /** SEV: sets the Event Register of every PE. */
  sendEvent(): void;
  /** The next 64 bits of the machine's generator. */
  random(): bigint;
  /** To be called after a write of a timer register. */
  timersChanged(): void;
  /** TLB maintenance of the active context. @param shareable whether it reaches every PE that shares its stage 2 */
  invalidateTlbs(request: TlbInvalidation, shareable: boolean): void;
}

/** The CPU interface of an interrupt controller: see `InterruptSignals`. */
export interface InterruptInterface {
  readonly irq: boolean;
  readonly fiq: boolean;
  readonly runningPriority: number;
  update(): void;
  highestPending(group: InterruptGroup): bigint;
  acknowledge(group: InterruptGroup): bigint;
  end(group: InterruptGroup, value: bigint): void;
  deactivate(value: bigint): void;
  generate(group: InterruptGroup, value: bigint): void;
  binaryPoint(group: InterruptGroup): number;
  /** That of the virtual CPU interface. */
  readonly virtual: VirtualInterface;
}

/** Whether EL1 permits EL0 something, by SCTLR_EL1, CNTKCTL_EL1 and PMUSERENR_EL0. */
export type El0Control = (sctlr: number, cntkctl: number, pmuserenr: number) => boolean;

/** One system register; its checks are made in the order of the fields. */
export interface RegisterRow {
  readonly encoding: number;
  /** Lowest Exception level that may access it. */
  readonly el: ExceptionLevel;
  /** Lowest Exception level that may read it, if different. */
  readonly readEl?: ExceptionLevel;
  /** Whether EL1 permits accesses at EL0; others are trapped to EL1. */
  readonly el0?: El0Control;
  /** The same for writes, if different. */
  readonly el0Write?: El0Control;
  /** Accesses are trapped like those to SIMD&FP registers. */
  readonly simd?: true;
  /** Whether it controls stage 1, or names its tables, so that a change of its value changes translations. */
  readonly stage1?: 'controls' | 'tables';
  /** Writes at EL1 are trapped to EL2, which emulates them, unless the machine has an interrupt controller. */
  readonly trapsWrites?: true;
  /** Whether EL2 may trap accesses by controls that a hypervisor sets always, so that the run loop makes them. */
  readonly el2Traps?: true;
  /** Where a stored value is kept: an offset in the state, or `array` for the next place among the system registers. */
  readonly place?: number | 'array';
  /** Where EL2 keeps it. */
  readonly el2Slot?: El2Slot;
  readonly reset?: bigint;
  /** Bits of a stored value that a write changes; default all. */
  readonly writable?: bigint;
  /** @param kept the stored value, or zero. A register without this and without a stored value cannot be read. */
  readonly read?: (context: RegisterAccess, host: RegisterHost, kept: bigint) => bigint;
  /** A register without this and without a stored value cannot be written. */
  readonly write?: (context: RegisterAccess, value: bigint, host: RegisterHost) => void;
}

type Options = Partial<Omit<RegisterRow, 'encoding' | 'place' | 'write'>>;

/** A register that stores the value written to it, at EL1 unless the options say otherwise. */
export function keeps(encoding: number, options: Options & { readonly place?: number } = {}): RegisterRow {
  return { encoding, el: 1, place: 'array', ...options };
}

/** A read-only register with a fixed value. */
export function constant(encoding: number, value: bigint, options: Options = {}): RegisterRow {
  return { encoding, el: 1, read: () => value, ...options };
}

/** A register without a stored value. */
export function behaves(encoding: number, options: Partial<Omit<RegisterRow, 'encoding' | 'place'>>): RegisterRow {
  return { encoding, el: 1, ...options };
}

/** The write of a register that ignores writes. */
export function ignored(): void {}
