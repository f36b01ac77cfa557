import * as arithmetic from './arithmetic.ts';
import { brain, dotAdd, widenedBrain } from './brain.ts';
import { convert } from './conversion.ts';
import type { Environment } from './environment.ts';
import { half, infinity, quietBit, round, single, unpack, zero } from './numbers.ts';
import { ExactKind as Kind, HIGH, LongDetail, Source, type ExactOperation } from './operation.ts';

/** Elements of registers, by their places in the state. */
export interface Elements {
  readonly d: number;
  readonly n: number;
  readonly m: number;
  read(place: number, bytes: number, index?: number): bigint;
  /** Writes Vd, and zeros above the elements. @param from index of the first one */
  write(bytes: number, elements: readonly bigint[], from?: number): void;
}

/** A half as a single, exactly; a NaN stays signalling or quiet (FPMulAddH of the Arm ARM's shared pseudocode). */
function widenedHalf(env: Environment, bits: bigint): bigint {
  const value = unpack(env, half, bits);
  if (value.kind === 'infinite') return infinity(single, value.negative);
  if (value.kind !== 'finite') {
    const payload = (bits & (quietBit(half) - 1n)) << 13n;
    return infinity(single, value.negative) | payload | (value.kind === 'quiet' ? quietBit(single) : 0n);
  }
  if (value.mantissa === 0n) return zero(single, value.negative);
  return round(env, single, value.negative, value.mantissa, value.exponent);
}

/** Instructions of FEAT_FHM and FEAT_BF16: their operands are half as wide as singles. */
export function executeLong(env: Environment, elements: Elements, operation: Required<ExactOperation>): void {
  const { kind, lanes, source, detail } = operation;
  const { d, n, m } = elements;
  const each = (result: (lane: number) => bigint): void => {
    elements.write(
      4,
      Array.from({ length: lanes }, (_, lane) => result(lane)),
    );
  };
  const second = (bytes: number, index: number): bigint =>
    source === Source.Element ? elements.read(m, bytes) : elements.read(m, bytes, index);
  switch (kind) {
    case Kind.MultiplyAddLong:
      return each((lane) => {
        const at = (detail & LongDetail.High) === 0 ? lane : lane + lanes;
        const factor = elements.read(n, 2, at);
        const first = (detail & LongDetail.Negate) === 0 ? factor : arithmetic.negated(half, factor);
        const [a, b] = [widenedHalf(env, first), widenedHalf(env, second(2, at))];
        return arithmetic.multiplyAdd(env, single, elements.read(d, 4, lane), a, b);
      });
    case Kind.BrainMultiplyAdd:
      return each((lane) => {
        const at = lane * 2 + ((detail & LongDetail.High) === 0 ? 0 : 1);
        const [a, b] = [widenedBrain(elements.read(n, 2, at)), widenedBrain(second(2, at))];
        return arithmetic.multiplyAdd(env, single, elements.read(d, 4, lane), a, b);
      });
    case Kind.BrainDot:
      return each((lane) => dotAdd(elements.read(d, 4, lane), elements.read(n, 4, lane), second(4, lane)));
    case Kind.BrainMatrix:
      return each((lane) => {
        const [row, column] = [(lane >> 1) * 2, (lane & 1) * 2];
        const half0 = dotAdd(elements.read(d, 4, lane), elements.read(n, 4, row), elements.read(m, 4, column));
        return dotAdd(half0, elements.read(n, 4, row + 1), elements.read(m, 4, column + 1));
      });
    default: {
      const results = Array.from({ length: lanes }, (_, lane) =>
        convert(env, single, brain, elements.read(n, 4, lane)),
      );
      elements.write(2, results, (detail & HIGH) === 0 ? 0 : lanes);
    }
  }
}

/** Whether `executeLong` executes a kind. */
export function isLong(kind: number): boolean {
  return kind >= Kind.MultiplyAddLong && kind <= Kind.BrainConvert;
}
