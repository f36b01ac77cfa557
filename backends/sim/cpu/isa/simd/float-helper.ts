import type { Lowering } from '../lowering.ts';
import { i32, i64, stmt, type I64 } from '../../wasm/expr.ts';
import { VcpuState } from '../../layout.ts';

/** Floating-point operations that are called instead of generated: see float/exact-float.ts. */
export const FloatHelper = {
  /** Operands: the addend and the two factors; all finite. */
  FusedMultiplyAdd: 0,
  ReciprocalStep: 1,
  RootStep: 2,
  /** The argument is `conversion(from, to)`. */
  Convert: 3,
  ConvertToOdd: 4,
  ReciprocalEstimate: 5,
  RootEstimate: 6,
  ReciprocalExponent: 7,
  UnsignedReciprocalEstimate: 8,
  UnsignedRootEstimate: 9,
} as const;

/** Formats, as arguments of a helper. */
export const FloatFormat = { Half: 1, Single: 2, Double: 3 } as const;

export function conversion(from: number, to: number): number {
  return from | (to << 2);
}

const state = i32.const(0);

export function helperOperand(index: number): number {
  return VcpuState.Helper + index * 8;
}
export const HELPER_RESULT = VcpuState.Helper + 24;

/** The bits of a helper's result from the bits of its operands. */
export function floatHelper(code: Lowering, helper: number, argument: number, operands: readonly I64[]): I64 {
  for (const [index, operand] of operands.entries()) code.emit(i64.store(state, operand, helperOperand(index)));
  code.emit(stmt.drop(code.helper(helper, i32.const(argument))));
  return code.let(i64.load(state, HELPER_RESULT));
}
