import { ContextState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import * as arithmetic from './arithmetic.ts';
import * as conversion from './conversion.ts';
import { Rounding, type Environment } from './environment.ts';
import * as estimates from './estimates.ts';
import { executeLong, isLong } from './long-products.ts';
import { double, half, single, type Format } from './numbers.ts';
import {
  CompareDetail,
  ComparisonDetail,
  EXACT,
  ExactFormat,
  ExactKind as Kind,
  HIGH,
  MODE_OF_FPCR,
  MultiplyAddDetail,
  ODD,
  Source,
  UNSIGNED,
  WIDE,
  type ExactOperation,
} from './operation.ts';

/** Places of an instruction's registers or elements in the state, and its parameter. */
export interface Places {
  readonly d: number;
  readonly n: number;
  readonly m: number;
  readonly a: number;
  readonly parameter: number;
}

type Exact = Required<ExactOperation>;

function formatOf(number: number): Format {
  return number === ExactFormat.Half ? half : number === ExactFormat.Double ? double : single;
}

/** Executes floating-point instructions on the registers in memory, with one set of modes and flags. */
export class ExactInstructions {
  readonly #memory: LinearMemory;
  readonly #env: Environment;
  readonly #places: Places;

  constructor(memory: LinearMemory, env: Environment, places: Places) {
    this.#memory = memory;
    this.#env = env;
    this.#places = places;
  }

  execute(operation: Exact): void {
    const { kind, detail, lanes } = operation;
    const format = formatOf(operation.format);
    switch (kind) {
      case Kind.ToGeneral:
        return this.#toGeneral(format, detail);
      case Kind.FromGeneral:
        return this.#fromGeneral(format, detail);
      case Kind.Convert:
        return this.#convert(format, lanes, detail);
      case Kind.Compare:
        return this.#compare(format, detail);
      case Kind.ConvertJavaScript:
        return this.#convertJavaScript(format);
      case Kind.ComplexAdd:
      case Kind.ComplexMultiplyAdd:
        return this.#complex(operation, format);
      case Kind.Reduce:
        return this.#reduce(format, lanes, detail);
      default:
        if (isLong(kind)) return this.#long(operation);
        return this.#lanewise(operation, format);
    }
  }

  #read(place: number, bytes: number, index = 0): bigint {
    const { view } = this.#memory;
    const at = place + index * bytes;
    if (bytes === 8) return view.getBigUint64(at, true);
    return BigInt(bytes === 4 ? view.getUint32(at, true) : view.getUint16(at, true));
  }

  /** The lowest elements at a place. */
  #elements(place: number, bytes: number, lanes: number): bigint[] {
    const elements: bigint[] = [];
    for (let lane = 0; lane < lanes; lane += 1) elements.push(this.#read(place, bytes, lane));
    return elements;
  }

  /** Writes elements to Vd, and zeros above them. With elements of the high half only, the low half stays. */
  #write(bytes: number, elements: readonly bigint[], from = 0): void {
    const { view } = this.#memory;
    const { d } = this.#places;
    if (from === 0) view.setBigUint64(d, 0n, true);
    view.setBigUint64(d + 8, 0n, true);
    let at = d + from * bytes;
    for (const value of elements) {
      if (bytes === 8) view.setBigUint64(at, value, true);
      else if (bytes === 4) view.setUint32(at, Number(value), true);
      else view.setUint16(at, Number(value), true);
      at += bytes;
    }
  }

  /** The lanes of both operands. */
  #operands({ lanes, source }: Exact, { bytes }: Format): { first: bigint[]; second: bigint[] } {
    const { n, m } = this.#places;
    const first = this.#elements(n, bytes, lanes);
    if (source === Source.Element) return { first, second: Array<bigint>(lanes).fill(this.#read(m, bytes)) };
    const second = this.#elements(m, bytes, lanes);
    if (source !== Source.Pairs) return { first, second };
    const both = [...first, ...second];
    return { first: both.filter((_, at) => at % 2 === 0), second: both.filter((_, at) => at % 2 === 1) };
  }

  #long(operation: Exact): void {
    const { d, n, m } = this.#places;
    const read = (place: number, bytes: number, index = 0): bigint => this.#read(place, bytes, index);
    const write = (bytes: number, elements: readonly bigint[], from = 0): void => {
      this.#write(bytes, elements, from);
    };
    executeLong(this.#env, { d, n, m, read, write }, operation);
  }

  #lanewise(operation: Exact, format: Format): void {
    const { kind, detail } = operation;
    const { first, second } = this.#operands(operation, format);
    const results: bigint[] = [];
    for (const [lane, n] of first.entries()) {
      const m = second[lane] ?? 0n;
      const result =
        kind === Kind.MultiplyAdd
          ? this.#multiplyAdd(format, detail, lane, n, m)
          : this.#lane(kind, format, detail, n, m);
      results.push(result);
    }
    this.#write(format.bytes, results);
  }

  #multiplyAdd(format: Format, detail: number, lane: number, n: bigint, m: bigint): bigint {
    const { d, a } = this.#places;
    const addend = this.#read((detail & MultiplyAddDetail.AddendIsA) === 0 ? d : a, format.bytes, lane);
    const negate = (bits: bigint, flag: number): bigint =>
      (detail & flag) === 0 ? bits : arithmetic.negated(format, bits);
    const third = negate(addend, MultiplyAddDetail.NegateAddend);
    return arithmetic.multiplyAdd(this.#env, format, third, negate(n, MultiplyAddDetail.NegateProduct), m);
  }

  #rounding(detail: number): number {
    return (detail & 7) === MODE_OF_FPCR ? this.#env.rounding : detail & 7;
  }

  #lane(kind: number, format: Format, detail: number, n: bigint, m: bigint): bigint {
    const env = this.#env;
    switch (kind) {
      case Kind.Add:
        return arithmetic.add(env, format, n, m);
      case Kind.Subtract:
        return arithmetic.subtract(env, format, n, m);
      case Kind.Multiply:
        return arithmetic.multiply(env, format, n, m);
      case Kind.MultiplyExtended:
        return arithmetic.multiply(env, format, n, m, true);
      case Kind.NegatedMultiply:
        return arithmetic.negated(format, arithmetic.multiply(env, format, n, m));
      case Kind.Divide:
        return arithmetic.divide(env, format, n, m);
      case Kind.AbsoluteDifference:
        return arithmetic.absolute(format, arithmetic.subtract(env, format, n, m));
      case Kind.Maximum:
      case Kind.Minimum:
        return arithmetic.extremum(env, format, n, m, kind === Kind.Maximum);
      case Kind.MaximumNumber:
      case Kind.MinimumNumber:
        return arithmetic.numericExtremum(env, format, n, m, kind === Kind.MaximumNumber);
      case Kind.ReciprocalStep:
        return arithmetic.step(env, format, n, m, 2);
      case Kind.RootStep:
        return arithmetic.step(env, format, n, m, 3);
      case Kind.CompareEqual:
      case Kind.CompareGreaterOrEqual:
      case Kind.CompareGreater:
        return this.#comparison(kind, format, detail, n, m);
      case Kind.SquareRoot:
        return arithmetic.squareRoot(env, format, n);
      case Kind.ToIntegral:
        return conversion.toIntegral(env, format, n, this.#rounding(detail), (detail & EXACT) !== 0);
      case Kind.ToBoundedIntegral:
        return conversion.toBoundedIntegral(env, format, n, this.#rounding(detail), (detail & WIDE) !== 0 ? 64 : 32);
      case Kind.ReciprocalEstimate:
        return estimates.reciprocalEstimate(env, format, n);
      case Kind.RootEstimate:
        return estimates.rootEstimate(env, format, n);
      case Kind.ReciprocalExponent:
        return estimates.reciprocalExponent(env, format, n);
      case Kind.UnsignedReciprocalEstimate:
      case Kind.UnsignedRootEstimate:
        return estimates.unsignedEstimate(n, kind === Kind.UnsignedRootEstimate);
      case Kind.ToFixed:
        return this.#toFixed(format, detail, format.bytes * 8, n);
      case Kind.FromFixed:
        return this.#fromFixed(format, detail, format.bytes * 8, n);
      default:
        throw new RangeError(`there is no floating-point operation ${String(kind)}`);
    }
  }

  #comparison(kind: number, format: Format, detail: number, n: bigint, m: bigint): bigint {
    let [a, b] = [n, (detail & ComparisonDetail.WithZero) !== 0 ? 0n : m];
    if ((detail & ComparisonDetail.Absolute) !== 0) {
      [a, b] = [arithmetic.absolute(format, a), arithmetic.absolute(format, b)];
    }
    if ((detail & ComparisonDetail.Swapped) !== 0) [a, b] = [b, a];
    const order = arithmetic.compare(this.#env, format, a, b, kind !== Kind.CompareEqual);
    if (kind === Kind.CompareEqual) return arithmetic.mask(format, order === 'equal');
    const orEqual = kind === Kind.CompareGreaterOrEqual && order === 'equal';
    return arithmetic.mask(format, order === 'greater' || orEqual);
  }

  #toFixed(format: Format, detail: number, width: number, bits: bigint): bigint {
    const to = { width, signed: (detail & UNSIGNED) === 0, fractionBits: this.#places.parameter };
    return conversion.toFixed(this.#env, format, bits, { ...to, rounding: this.#rounding(detail) });
  }

  #fromFixed(format: Format, detail: number, width: number, bits: bigint): bigint {
    const integer = (detail & UNSIGNED) !== 0 ? BigInt.asUintN(width, bits) : BigInt.asIntN(width, bits);
    return conversion.fromFixed(this.#env, format, integer, this.#places.parameter);
  }

  #toGeneral(format: Format, detail: number): void {
    const width = (detail & WIDE) !== 0 ? 64 : 32;
    const result = this.#toFixed(format, detail, width, this.#read(this.#places.n, format.bytes));
    this.#memory.view.setBigUint64(this.#places.d, result, true);
  }

  #fromGeneral(format: Format, detail: number): void {
    const width = (detail & WIDE) !== 0 ? 64 : 32;
    this.#write(format.bytes, [this.#fromFixed(format, detail, width, this.#read(this.#places.n, 8))]);
  }

  #convert(from: Format, lanes: number, detail: number): void {
    const to = formatOf(detail & 3);
    const high = (detail & HIGH) !== 0;
    const rounding = (detail & ODD) !== 0 ? Rounding.Odd : this.#env.rounding;
    const widens = to.bytes > from.bytes;
    const results = Array.from({ length: lanes }, (_, lane) => {
      const bits = this.#read(this.#places.n, from.bytes, high && widens ? lane + lanes : lane);
      return conversion.convert(this.#env, from, to, bits, rounding);
    });
    this.#write(to.bytes, results, high && !widens ? lanes : 0);
  }

  #compare(format: Format, detail: number): void {
    const { n, m } = this.#places;
    const second = (detail & CompareDetail.WithZero) !== 0 ? 0n : this.#read(m, format.bytes);
    const signals = (detail & CompareDetail.Signals) !== 0;
    const order = arithmetic.compare(this.#env, format, this.#read(n, format.bytes), second, signals);
    this.#setFlags(order === 'less', order === 'equal', order !== 'less', order === 'unordered');
  }

  #setFlags(n: boolean, z: boolean, c: boolean, v: boolean): void {
    const { u64, u32 } = this.#memory;
    u64[ContextState.N >> 3] = n ? 1n << 63n : 0n;
    u64[ContextState.Z >> 3] = z ? 0n : 1n;
    u32[ContextState.C >> 2] = c ? 1 : 0;
    u32[ContextState.V >> 2] = v ? 1 : 0;
  }

  #convertJavaScript(format: Format): void {
    const bits = this.#read(this.#places.n, format.bytes);
    const { integer, same } = conversion.toJavaScript(this.#env, format, bits);
    this.#memory.view.setBigUint64(this.#places.d, integer, true);
    this.#setFlags(false, same, false, false);
  }

  /** Pairs of elements are complex numbers; those of Vm, or the one in its element, are rotated by quarter turns. */
  #complex({ kind, lanes, source, detail: quarters }: Exact, format: Format): void {
    const { d, n, m } = this.#places;
    const { bytes } = format;
    const fused = kind === Kind.ComplexMultiplyAdd;
    const results = Array.from({ length: lanes }, (_, lane) => {
      const imaginary = lane & 1;
      const from = (source === Source.Element ? imaginary : lane) ^ (quarters & 1);
      const negative = imaginary === 0 ? quarters === 1 || quarters === 2 : quarters === 2 || quarters === 3;
      const element = this.#read(m, bytes, from);
      const rotated = negative ? arithmetic.negated(format, element) : element;
      if (!fused) return arithmetic.add(this.#env, format, this.#read(n, bytes, lane), rotated);
      const part = this.#read(n, bytes, (lane & ~1) + (quarters & 1));
      return arithmetic.multiplyAdd(this.#env, format, this.#read(d, bytes, lane), part, rotated);
    });
    this.#write(bytes, results);
  }

  #reduce(format: Format, lanes: number, kind: number): void {
    let values = this.#elements(this.#places.n, format.bytes, lanes);
    while (values.length > 1) {
      const odd = values.filter((_, at) => at % 2 === 1);
      values = values
        .filter((_, at) => at % 2 === 0)
        .map((value, at) => this.#lane(kind, format, 0, value, odd[at] ?? 0n));
    }
    this.#write(format.bytes, values);
  }
}
