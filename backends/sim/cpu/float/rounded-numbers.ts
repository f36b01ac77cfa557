import { Rounding } from './environment.ts';
import { ExactKind as Kind } from './operation.ts';

/**
 * Arithmetic on numbers, rounded once in any mode: from the result to nearest, and from what its rounding lost, which
 * says in which direction the exact result is.
 */

/** Magnitudes between which no product, quotient or rounding error of a double overflows or loses bits to denormals. */
const LEAST = 2 ** -400;
const MOST = 2 ** 400;

/** Singles that are normal, and less than the largest ones. */
const LEAST_SINGLE = 2 ** -126;
const MOST_SINGLE = 2 ** 127;

const SPLITTER = 2 ** 27 + 1;

/** What the rounding of `a + b` lost (Knuth). */
function lostBySum(a: number, b: number, sum: number): number {
  const second = sum - a;
  return a - (sum - second) + (b - second);
}

/** What the rounding of `a * b` lost (Dekker). */
function lostByProduct(a: number, b: number, product: number): number {
  const scaledA = a * SPLITTER;
  const highA = scaledA - (scaledA - a);
  const lowA = a - highA;
  const scaledB = b * SPLITTER;
  const highB = scaledB - (scaledB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

/** Whether so much is half of the last place of a number that is added to it. */
function isHalfPlace(part: number, whole: number, round: (value: number) => number): boolean {
  return round(whole + 2 * part) - whole === 2 * part;
}

const same = (value: number): number => value;

export class RoundedNumbers {
  /** Whether the last result was rounded. */
  inexact = false;
  #lost = 0;
  readonly #f64 = new Float64Array(1);
  readonly #f32 = new Float32Array(1);
  readonly #bits = new Int32Array(this.#f64.buffer);
  readonly #singleBits = new Int32Array(this.#f32.buffer);

  /** @returns NaN if it is not known: for operands that are not ordinary, and results that are close to the limits */
  compute(kind: number, isDouble: boolean, rounding: number, n: number, m: number, addend: number): number {
    const least = isDouble ? LEAST : LEAST_SINGLE;
    const most = isDouble ? MOST : MOST_SINGLE;
    const isOrdinary = (value: number): boolean => value === 0 || (Math.abs(value) >= least && Math.abs(value) < most);
    if (!isOrdinary(n) || !isOrdinary(m) || !isOrdinary(addend)) return NaN;
    const nearest = this.#nearest(kind, n, m, addend);
    const result = isDouble ? nearest : this.#single(kind, nearest);
    this.inexact = this.#lost !== 0;
    if (result === 0) return this.inexact || rounding === Rounding.Down ? NaN : result;
    const magnitude = Math.abs(result);
    const inRange = isDouble ? magnitude < Infinity : magnitude > LEAST_SINGLE && magnitude < MOST_SINGLE;
    if (!inRange) return NaN;
    return this.#directed(result, isDouble, rounding);
  }

  #nearest(kind: number, n: number, m: number, addend: number): number {
    switch (kind) {
      case Kind.Add:
        return this.#sum(n, m);
      case Kind.Subtract:
      case Kind.AbsoluteDifference:
        return this.#sum(n, -m);
      case Kind.Multiply:
      case Kind.MultiplyExtended:
      case Kind.NegatedMultiply: {
        const product = n * m;
        this.#lost = lostByProduct(n, m, product);
        return product;
      }
      case Kind.Divide: {
        const quotient = n / m;
        const product = quotient * m;
        const rest = n - product - lostByProduct(quotient, m, product);
        this.#lost = m < 0 ? -rest : rest;
        return quotient;
      }
      case Kind.SquareRoot: {
        const root = Math.sqrt(n);
        const square = root * root;
        this.#lost = n - square - lostByProduct(root, root, square);
        return root;
      }
      case Kind.MultiplyAdd:
        return this.#fused(n, m, addend);
      default:
        return NaN;
    }
  }

  #sum(a: number, b: number): number {
    const sum = a + b;
    this.#lost = lostBySum(a, b, sum);
    return sum;
  }

  #fused(n: number, m: number, addend: number): number {
    const product = n * m;
    const low = lostByProduct(n, m, product);
    const high = this.#sum(addend, product);
    if (low === 0) return high;
    const middle = this.#lost;
    const rest = middle + low;
    const lowest = lostBySum(middle, low, rest);
    const sum = this.#sum(high, rest);
    if (lowest === 0) return sum;
    if (this.#lost === 0) this.#lost = lowest;
    else if (isHalfPlace(this.#lost, sum, same)) return NaN;
    return sum;
  }

  /** A double rounded again; for all but fused operations the same as once (Figueroa, 1995). */
  #single(kind: number, nearest: number): number {
    const result = Math.fround(nearest);
    const dropped = nearest - result;
    if (dropped === 0) return result;
    if (kind === Kind.MultiplyAdd && this.#lost !== 0 && isHalfPlace(dropped, result, Math.fround)) return NaN;
    this.#lost = dropped;
    return result;
  }

  /** The result in a mode, from that to nearest. */
  #directed(nearest: number, isDouble: boolean, rounding: number): number {
    const lost = this.#lost;
    if (lost === 0 || rounding === Rounding.Nearest) return nearest;
    const up = lost > 0;
    if (rounding === Rounding.Up ? !up : rounding === Rounding.Down ? up : up === nearest > 0) return nearest;
    return this.#neighbour(nearest, isDouble, up === nearest > 0 ? 1 : -1);
  }

  /** @param step 1 for the next greater magnitude, -1 for the next smaller one */
  #neighbour(value: number, isDouble: boolean, step: 1 | -1): number {
    if (!isDouble) {
      this.#f32[0] = value;
      this.#singleBits[0] = (this.#singleBits[0] ?? 0) + step;
      return this.#f32[0];
    }
    this.#f64[0] = value;
    const low = (this.#bits[0] ?? 0) >>> 0;
    this.#bits[0] = low + step;
    if (step === 1 ? low === 0xffff_ffff : low === 0) this.#bits[1] = (this.#bits[1] ?? 0) + step;
    return this.#f64[0];
  }
}
