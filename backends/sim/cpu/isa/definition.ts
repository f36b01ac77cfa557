import { parseEncoding, type Encoding, type Fields } from './encoding.ts';
import type { Lowering, Operands, Slot } from './lowering.ts';
import { ContextState, VcpuState } from '../layout.ts';

/** Whether the instruction falls through to the next one: always, sometimes or never. */
export type Flow = 'next' | 'maybe' | 'never';

/** A decoded instruction word. */
export interface Decoded extends Operands {
  /**
   * What the lowering is specialised on, such as operand size or condition. Two words with the same variant share their
   * generated code, so fields with many values belong in the operands.
   */
  readonly variant?: readonly number[];
}

/** One row of the instruction set: an encoding, how it is decoded and what it does. */
export interface Definition {
  /** As in the Arm ARM's index: `ADD (immediate)`. */
  readonly name: string;
  readonly encoding: Encoding;
  readonly flow: Flow;
  /** Whether the meaning depends on the address: direct branches and PC-relative addresses. */
  readonly usesPc: boolean;
  /** @param pc its virtual address @returns undefined if the fields make the encoding unallocated */
  decode(word: number, pc: number): Decoded | undefined;
  lower(code: Lowering, variant: readonly number[]): void;
}

export function insn<const P extends string>(
  name: string,
  pattern: P,
  decode: (fields: Fields<P>, pc: number) => Decoded | undefined,
  lower: (code: Lowering, ...variant: number[]) => void,
  flow: Flow = 'next',
): Definition {
  const encoding = parseEncoding(pattern);
  return {
    name,
    encoding,
    flow,
    usesPc: decode.length > 1,
    // Safe: the encoding extracts every field of the pattern, and Fields<P> lists exactly these.
    decode: (word, pc) => decode(encoding.fields(word) as Fields<P>, pc),
    lower: (code, variant) => {
      lower(code, ...variant);
    },
  };
}

/** Register number 31 reads as zero. */
export function xSource(register: number): Slot {
  return ContextState.X + register * 8;
}

/** Writes to register number 31 are discarded. */
export function xDest(register: number): Slot {
  return register === 31 ? ContextState.Discard : ContextState.X + register * 8;
}

/** Register number 31 is the stack pointer. */
export function xOrSp(register: number): Slot {
  return register === 31 ? ContextState.Sp : ContextState.X + register * 8;
}

export function vRegister(register: number): Slot {
  return VcpuState.V + register * 16;
}

/** One element of a SIMD&FP register: its index becomes an operand instead of a variant. */
export function vElement(register: number, bytes: number, index: number): Slot {
  return vRegister(register) + bytes * index;
}
