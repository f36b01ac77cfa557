import type { ExceptionLevel } from '../../exception-level.ts';

/** op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2. */
export function encodeSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2;
}

/** What a register with behaviour sees of the context that accesses it. */
export interface RegisterAccess {
  readonly el: ExceptionLevel;
  readonly pstate: number;
  /** PSTATE but for NZCV. */
  setMode(value: number): void;
  sysreg(encoding: number): bigint | undefined;
  setSysreg(encoding: number, value: bigint): boolean;
}

/** What it sees of the PE and the machine. */
export interface RegisterHost {
  /** Affinity fields of MPIDR_EL1. */
  readonly mpidr: number;
  /** Guest time in nanoseconds. */
  readonly now: number;
}

/** Whether EL1 lets EL0 do something, by SCTLR_EL1 and CNTKCTL_EL1. */
export type El0Control = (sctlr: number, cntkctl: number) => boolean;

/** One system register, in the order of its checks. */
export interface RegisterRow {
  readonly encoding: number;
  /** Lowest Exception level that may access it. */
  readonly el: ExceptionLevel;
  /** Lowest Exception level that may read it, where that is another. */
  readonly readEl?: ExceptionLevel;
  /** Accesses at EL0 that EL1 does not allow are trapped to EL1. */
  readonly el0?: El0Control;
  /** Accesses are trapped as those to SIMD&FP registers are. */
  readonly simd?: true;
  /** Writes at EL1 are trapped to EL2, which emulates them. */
  readonly trapsWrites?: true;
  /** It keeps what is written, in a place of the state: an offset, or one of those for system registers. */
  readonly place?: number | 'array';
  readonly reset?: bigint;
  /** Bits that a write changes, of one that keeps them; default all. */
  readonly writable?: bigint;
  /** @param kept what it keeps; zero for one that does not. Without it, one that keeps nothing cannot be read. */
  readonly read?: (context: RegisterAccess, host: RegisterHost, kept: bigint) => bigint;
  /** Without it, one that keeps nothing cannot be written. */
  readonly write?: (context: RegisterAccess, value: bigint) => void;
  /** What a value that was written asks for and is not modelled. */
  readonly unsupported?: (value: bigint) => string | undefined;
}

type Options = Partial<Omit<RegisterRow, 'encoding' | 'place' | 'write'>>;

/** A register that keeps what is written to it, at EL1 unless the options say otherwise. */
export function keeps(encoding: number, options: Options & { readonly place?: number } = {}): RegisterRow {
  return { encoding, el: 1, place: 'array', ...options };
}

/** A register that only reads, as one value. */
export function constant(encoding: number, value: bigint, options: Options = {}): RegisterRow {
  return { encoding, el: 1, read: () => value, ...options };
}

/** A register that keeps nothing itself. */
export function behaves(encoding: number, options: Partial<Omit<RegisterRow, 'encoding' | 'place'>>): RegisterRow {
  return { encoding, el: 1, ...options };
}

/** What a write does that has no effect. */
export function ignored(): void {}
