import type { Code } from '../wasm/encode.ts';
import type { F32, F64, I32, I64, V128 } from '../wasm/expr.ts';

/** Operands that are registers. */
export type RegisterOperand = 'd' | 'n' | 'm' | 'a' | 's';

/** A register's place in the state: a byte offset that a record can hold. */
export type Slot = number;

/** What decoding an instruction passes to its lowering: registers and constants. Everything else is in the variant. */
export interface Operands {
  readonly d?: Slot;
  readonly n?: Slot;
  readonly m?: Slot;
  /** A fourth and fifth register; excludes `imm` and `low`. */
  readonly a?: Slot;
  readonly s?: Slot;
  /** A constant of 16 bits; excludes `m`. */
  readonly small?: number;
  /** A 64-bit constant, or two of 32 bits. */
  readonly imm?: bigint;
  readonly low?: number;
  readonly high?: number;
  /**
   * Virtual address that a direct branch goes to; excludes the constants above. With `link`, the value of X30, it
   * excludes `n` and `m` too.
   */
  readonly target?: number;
  readonly link?: number;
}

/** PSTATE.BTYPE that a branch leaves behind (Arm ARM, D8.4.5). */
export type BranchType = 0 | 1 | 2 | 3;

/** Sizes of a memory access in bytes. */
export type AccessSize = 1 | 2 | 4 | 8 | 16;

/** Why generated code returned to the run loop. */
export const Exit = {
  /** The budget is used up before the instruction at the exit record. */
  Budget: 1,
  /** The exit record has not been decoded. */
  Decode: 2,
  /** Continues at the address in the state's PC, whose page is not in the instruction TLB. */
  Fetch: 3,
  /** The memory access of the exit record faulted; the slow path has recorded the fault. */
  Abort: 4,
  /** The run loop executes the exit record: a system or exception-generating instruction. */
  System: 5,
  /** The exit record is undefined. */
  Undefined: 6,
  /** The exit record uses a misaligned stack pointer. */
  SpAlignment: 7,
  /** The exit record uses SIMD&FP and was decoded while access to it was trapped. */
  SimdTrap: 8,
  /** The exit record names a handler that the machine does not have: a defect of the engine. */
  NoHandler: 9,
  /** The guest stops before the exit record, for a debugger. */
  Stop: 10,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/**
 * What the definition of an instruction is written against. Implementations take operands from a decoded record (the
 * interpreter) or from constants (compiled code).
 *
 * A lowering must finish all memory accesses that can fault before its first write to a register.
 */
export interface Lowering {
  /** A register's 64 bits, or its low 32. For SIMD&FP registers use the scalar views below. */
  x(operand: RegisterOperand): I64;
  w(operand: RegisterOperand): I32;
  setX(operand: RegisterOperand, value: I64): void;
  /** Writes 32 bits and clears the upper half. */
  setW(operand: RegisterOperand, value: I32): void;

  /** A SIMD&FP register, or the one `after` registers behind it. */
  q(operand: RegisterOperand, after?: number): V128;
  setQ(operand: RegisterOperand, value: V128, after?: number): void;
  /** Low part of a SIMD&FP register. Setting one clears the rest of the register. */
  s(operand: RegisterOperand): F32;
  setS(operand: RegisterOperand, value: F32): void;
  dbl(operand: RegisterOperand): F64;
  setDbl(operand: RegisterOperand, value: F64): void;
  /**
   * One element's bits as an unsigned integer; the other elements are left alone. `bytes` is the element size. Indices
   * continue into the next register, and the operand's slot may itself be that of an element (`vElement`).
   */
  element(operand: RegisterOperand, bytes: 1 | 2 | 4 | 8, index: number): I64;
  setElement(operand: RegisterOperand, bytes: 1 | 2 | 4 | 8, index: number, value: I64): void;

  small(): I32;
  imm(): I64;
  low(): I32;
  high(): I32;
  /** The return address of a branch with link. */
  link(): I64;

  /** Evaluates the value once and returns it as a local. */
  let(value: I32): I32;
  let(value: I64): I64;
  let(value: F32): F32;
  let(value: F64): F64;
  let(value: V128): V128;
  /** Runs the statements of `body` only if the condition holds. */
  if(condition: I32, body: () => void, otherwise?: () => void): void;
  emit(code: Code): void;

  /** PSTATE.N becomes the sign of `n`, PSTATE.Z is set if `z` is zero; `c` and `v` are 0 or 1. */
  setFlags(n: I64, z: I64, c: I32, v: I32): void;
  /** Sets NZCV from bits 31:28 of a value. */
  setNzcv(value: I32): void;
  nzcv(): I32;
  carry(): I32;
  /** Whether a condition (Arm ARM, C1.2.4) holds: 0 or 1. */
  condition(cond: number): I32;

  /**
   * Checks and translates an access; the result is a place in linear memory from which `bytes` can be read. Exits with
   * an abort if the access faults. `align` is the alignment in bytes below which the access faults or takes the slow
   * path; default: its size. With `unprivileged`, permissions are those of EL0.
   */
  readable(address: I64, bytes: number, align?: number, unprivileged?: boolean): I32;
  /**
   * The same for exclusives and ordered accesses, which fault unless they are within 16 aligned bytes. @param ordered
   * whether SCTLR_EL1.nAA lifts that
   */
  readableAligned(address: I64, bytes: number, ordered?: boolean): I32;
  /**
   * The same for a write: calls `write` with the place, then copies the bytes to guest memory if the place is a buffer.
   */
  writable(address: I64, bytes: number, write: (place: I32) => void, align?: number, unprivileged?: boolean): void;
  writableAligned(address: I64, bytes: number, write: (place: I32) => void, ordered?: boolean): void;
  /** As `writable`, for read-modify-write: the place holds the old bytes. */
  modifiable(address: I64, bytes: number, modify: (place: I32) => void): void;
  /** As `writable`, for DC ZVA: a place in the block that is to be zeroed around an address. */
  zeroable(address: I64): I32;
  /** Exits with an SP alignment fault if the base is a misaligned stack pointer. */
  checkSp(): void;

  /** Continues at the operands' `target`. */
  branch(): void;
  /**
   * Continues at a computed address.
   *
   * @param type PSTATE.BTYPE there; 3 counts only in a guarded page, and is 1 elsewhere
   */
  branchTo(address: I64, type?: BranchType): void;
  /** Executes this instruction once more, as another one. */
  repeat(): void;
  /** Returns to the run loop at this instruction. */
  exit(reason: Exit): void;
  /**
   * Executes the instruction in the exact floating-point unit (float/operation.ts). It reads and writes the operands'
   * registers itself and raises flags, so nothing of the instruction may be done before or after.
   */
  exactly(operation: number, parameter?: I32): void;
  /** Whether a double is exactly the sum or the product of two others; it may be denied where it is hard to see. */
  isSum(a: F64, b: F64, sum: F64): I32;
  isProduct(a: F64, b: F64, product: F64): I32;
  /** The same of lanes of 4 or 8 bytes, as a mask. */
  areSums(bytes: 4 | 8, a: V128, b: V128, sums: V128): V128;
  areProducts(bytes: 4 | 8, a: V128, b: V128, products: V128): V128;
}
