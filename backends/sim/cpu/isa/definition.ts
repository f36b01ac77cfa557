import { parseEncoding, type Encoding, type Fields } from './encoding.ts';
import type { Lowering, Operands, Slot } from './lowering.ts';
import { ContextState, VcpuState } from '../layout.ts';

/** Whether the instruction after this one is reached: always, sometimes, or never by falling through. */
export type Flow = 'next' | 'maybe' | 'never';

/** An instruction word taken apart. */
export interface Decoded extends Operands {
  /**
   * What the lowering is specialised on, such as operand size or condition. Two words with the same variant share their
   * generated code, so everything that varies freely belongs into the operands.
   */
  readonly variant?: readonly number[];
}

/** One row of the instruction set: an encoding, how to take it apart, and what it does. */
export interface Definition {
  /** As in the Arm ARM's index: `ADD (immediate)`. */
  readonly name: string;
  readonly encoding: Encoding;
  readonly flow: Flow;
  /** The instruction means something else at another address: direct branches and what takes an address from the PC. */
  readonly usesPc: boolean;
  /** @param pc its virtual address @returns undefined where the fields make an unallocated encoding */
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
    // Safe: the record has a value for every field of the pattern, and Fields<P> lists just these.
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

/** Register number 31 is discarded. */
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

/** One element of a SIMD&FP register, so that its index is an operand and not a variant. */
export function vElement(register: number, bytes: number, index: number): Slot {
  return vRegister(register) + bytes * index;
}
