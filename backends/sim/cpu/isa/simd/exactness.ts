import type { Lowering } from '../lowering.ts';
import { i32, v128, v128ToI32, type I32, type V128 } from '../../wasm/expr.ts';
import { VcpuState } from '../../layout.ts';
import { ExactFormat } from '../../float/operation.ts';
import { keptMask, write, type Kept, type Size } from './vector.ts';

/**
 * Where generated code may use its own floating-point results. It computes in the default mode and raises no flag, so
 * FPCR must ask for that mode, and the result must be one of which it can see that no flag is raised, but for IXC once
 * that is set. Everything else is executed by the exact unit.
 */

const state = i32.const(0);

/** Whether a condition, 0 or 1, holds in the default mode: for what is exact. */
export function whereDefault(condition: I32): I32 {
  return i32.and(i32.load(state, VcpuState.FloatDefault), condition);
}

/** Whether it holds in the default mode while FPSR.IXC is set: for what may be inexact. */
export function whereSettled(condition: I32): I32 {
  return i32.and(i32.load(state, VcpuState.FloatSettled), condition);
}

/** What generated code computes. */
export interface Computed {
  readonly value: V128;
  /** Lanes whose value is the instruction's, and which raise no flag but IXC. */
  readonly right: V128;
  /** Whether right lanes may be inexact. */
  readonly inexact: boolean;
  /** Lanes whose value is the instruction's, and which raise no flag at all. */
  readonly exact?: () => V128;
}

/** The operation of `Lowering.exactly`, and its parameter. */
export interface Exactly {
  readonly operation: number;
  readonly parameter?: I32;
}

const allTrueI32 = v128ToI32(0xa3);

/** Whether a mask has all of the kept lanes, of 4 or 8 bytes. */
function all(mask: V128, kept: Kept): I32 {
  return allTrueI32(kept === 16 ? mask : v128.or(mask, v128.not(keptMask(kept))));
}

function every<T>(parts: readonly T[], kept: Kept, mask: (part: T) => V128): I32 {
  return parts.map((part) => all(mask(part), kept)).reduce((both, one) => i32.and(both, one));
}

/**
 * Calls `use` in generated code where all parts are right, else executes the instruction exactly.
 *
 * @param kept bytes of each part
 */
export function ifRight(
  code: Lowering,
  parts: readonly Computed[],
  kept: Kept,
  use: () => void,
  { operation, parameter }: Exactly,
): void {
  const inexact = parts.some((part) => part.inexact);
  const right = every(parts, kept, (part) => part.right);
  const exactly = (): void => {
    code.exactly(operation, parameter);
  };
  code.if(inexact ? whereSettled(right) : whereDefault(right), use, () => {
    if (parts.some(({ exact }) => exact === undefined)) return exactly();
    const masks = parts.map((part) => ({ right: part.right, exact: code.let(part.exact?.() ?? part.right) }));
    const allExact = whereDefault(every(masks, kept, (mask) => mask.exact));
    const allRight = whereSettled(every(masks, kept, (mask) => v128.or(mask.exact, mask.right)));
    code.if(i32.or(allExact, allRight), use, exactly);
  });
}

/** Writes what was computed, with zeros above the kept bytes. */
export function writeRight(code: Lowering, kept: Kept, computed: Computed, exactly: Exactly): void {
  const value = code.let(computed.value);
  const use = (): void => {
    write(code, value, kept);
  };
  ifRight(code, [{ ...computed, value }], kept, use, exactly);
}

/** The format of elements of a size. */
export function exactFormat(size: Size): number {
  return size === 1 ? ExactFormat.Half : size === 3 ? ExactFormat.Double : ExactFormat.Single;
}

/** The format that a `type` field selects. */
export function exactFormatOfType(type: number): number {
  return type === 3 ? ExactFormat.Half : type === 1 ? ExactFormat.Double : ExactFormat.Single;
}
