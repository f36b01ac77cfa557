import { ContextState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Flag, type Environment } from './environment.ts';
import type { Places } from './instructions.ts';
import {
  CompareDetail,
  ExactFormat,
  ExactKind as Kind,
  MultiplyAddDetail,
  Source,
  type ExactOperation,
} from './operation.ts';
import { RoundedNumbers } from './rounded-numbers.ts';

/** Normal numbers from here on. */
const LEAST_NORMAL = { single: 2 ** -126, double: 2 ** -1022 };

/**
 * What most instructions on singles and doubles do in any mode, with ordinary operands and results: numbers are much
 * faster than exact integers, and there is nothing to flush.
 */
export class QuickUnit {
  readonly #memory: LinearMemory;
  readonly #doubles: Float64Array;
  readonly #singles: Float32Array;
  readonly #numbers = new RoundedNumbers();
  readonly #results = new Float64Array(4);

  constructor(memory: LinearMemory) {
    this.#memory = memory;
    this.#doubles = new Float64Array(memory.memory.buffer);
    this.#singles = new Float32Array(memory.memory.buffer);
  }

  /** @returns false without any effect if the instruction must be executed with exact integers */
  execute(operation: Required<ExactOperation>, places: Places, env: Environment): boolean {
    const { kind, format, source } = operation;
    if (format === ExactFormat.Half || source === Source.Pairs) return false;
    if (kind === Kind.Compare) return this.#compare(operation, places);
    return kind <= Kind.MinimumNumber || kind === Kind.MultiplyAdd || kind === Kind.SquareRoot
      ? this.#lanes(operation, places, env)
      : false;
  }

  #lanes({ kind, format, lanes, source, detail }: Required<ExactOperation>, places: Places, env: Environment): boolean {
    const isDouble = format === ExactFormat.Double;
    const shift = isDouble ? 3 : 2;
    const values = isDouble ? this.#doubles : this.#singles;
    const { d, n, m, a } = places;
    const addendAt = (detail & MultiplyAddDetail.AddendIsA) !== 0 ? a : d;
    let inexact = false;
    for (let lane = 0; lane < lanes; lane += 1) {
      const first = values[(n >> shift) + lane] ?? NaN;
      const second =
        kind === Kind.SquareRoot ? 0 : (values[(m >> shift) + (source === Source.Element ? 0 : lane)] ?? NaN);
      const addend = kind === Kind.MultiplyAdd ? (values[(addendAt >> shift) + lane] ?? NaN) : 0;
      const result = this.#lane(kind, detail, isDouble, env.rounding, first, second, addend);
      if (Number.isNaN(result)) return false;
      if (this.#numbers.inexact) inexact = true;
      this.#results[lane] = result;
    }
    this.#memory.u32.fill(0, d >> 2, (d >> 2) + 4);
    for (let lane = 0; lane < lanes; lane += 1) values[(d >> shift) + lane] = this.#results[lane] ?? 0;
    if (inexact) env.raise(Flag.IXC);
    return true;
  }

  #lane(
    kind: number,
    detail: number,
    isDouble: boolean,
    rounding: number,
    n: number,
    m: number,
    addend: number,
  ): number {
    const numbers = this.#numbers;
    switch (kind) {
      case Kind.Maximum:
      case Kind.MaximumNumber:
      case Kind.Minimum:
      case Kind.MinimumNumber: {
        numbers.inexact = false;
        if (!isNormalOrZero(n, isDouble) || !isNormalOrZero(m, isDouble)) return NaN;
        return kind === Kind.Maximum || kind === Kind.MaximumNumber ? Math.max(n, m) : Math.min(n, m);
      }
      case Kind.NegatedMultiply:
        return -numbers.compute(kind, isDouble, rounding, n, m, addend);
      case Kind.AbsoluteDifference:
        return Math.abs(numbers.compute(kind, isDouble, rounding, n, m, addend));
      case Kind.MultiplyAdd: {
        const factor = (detail & MultiplyAddDetail.NegateProduct) !== 0 ? -n : n;
        const third = (detail & MultiplyAddDetail.NegateAddend) !== 0 ? -addend : addend;
        return numbers.compute(kind, isDouble, rounding, factor, m, third);
      }
      default:
        return numbers.compute(kind, isDouble, rounding, n, m, addend);
    }
  }

  #compare({ format, detail }: Required<ExactOperation>, { n, m }: Places): boolean {
    const isDouble = format === ExactFormat.Double;
    const withZero = (detail & CompareDetail.WithZero) !== 0;
    const read = (place: number): number => (isDouble ? this.#doubles[place >> 3] : this.#singles[place >> 2]) ?? NaN;
    const first = read(n);
    const second = withZero ? 0 : read(m);
    const unordered = Number.isNaN(first) || Number.isNaN(second);
    if (unordered && (detail & CompareDetail.Signals) !== 0) return false;
    const isPlain = (value: number, place: number): boolean =>
      Number.isNaN(value) ? this.#isQuiet(place, isDouble) : isNormalOrZero(value, isDouble);
    if (!isPlain(first, n) || !(withZero || isPlain(second, m))) return false;
    const { u32 } = this.#memory;
    const less = first < second;
    u32[ContextState.N >> 2] = 0;
    u32[(ContextState.N + 4) >> 2] = less ? 0x8000_0000 : 0;
    u32[ContextState.Z >> 2] = first === second ? 0 : 1;
    u32[(ContextState.Z + 4) >> 2] = 0;
    u32[ContextState.C >> 2] = less ? 0 : 1;
    u32[ContextState.V >> 2] = unordered ? 1 : 0;
    return true;
  }

  /** Whether a NaN is a quiet one. */
  #isQuiet(place: number, isDouble: boolean): boolean {
    const word = this.#memory.u32[(isDouble ? place + 4 : place) >> 2] ?? 0;
    return (word & (isDouble ? 1 << 19 : 1 << 22)) !== 0;
  }
}

function isNormalOrZero(value: number, isDouble: boolean): boolean {
  return value === 0 || Math.abs(value) >= (isDouble ? LEAST_NORMAL.double : LEAST_NORMAL.single);
}
