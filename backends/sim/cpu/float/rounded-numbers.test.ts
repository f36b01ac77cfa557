import { expect, it } from 'vitest';
import * as arithmetic from './arithmetic.ts';
import { Environment, Flag, Rounding } from './environment.ts';
import { double, single, type Format } from './numbers.ts';
import { ExactKind } from './operation.ts';
import { RoundedNumbers } from './rounded-numbers.ts';
import { Random } from '../testing/registers.ts';

const CASES = 4000;
const view = new DataView(new ArrayBuffer(8));

function bitsOf(value: number, format: Format): bigint {
  view.setFloat64(0, value);
  if (format === double) return view.getBigUint64(0);
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

/** Ordinary numbers of similar magnitude, often with few bits, so that sums cancel and results are exact or halfway. */
function operand(random: Random, format: Format): number {
  const fraction =
    1 + (random.word() >>> random.pick([0, 8, 16, 28, 31])) / 2 ** 32 + random.pick([0, 2 ** -23, 2 ** -52]);
  const value = fraction * 2 ** (random.below(60) - 30) * random.pick([1, -1]);
  const any = random.below(12) === 0 ? random.pick([0, -0]) : value;
  return format === single ? Math.fround(any) : any;
}

const operations = {
  [ExactKind.Add]: arithmetic.add,
  [ExactKind.Subtract]: arithmetic.subtract,
  [ExactKind.Multiply]: arithmetic.multiply,
  [ExactKind.Divide]: arithmetic.divide,
};

it.each([
  ['doubles', double],
  ['singles', single],
])('has the results and the exactness of exact integers, for %s in all modes', (_, format) => {
  const random = new Random(11);
  const numbers = new RoundedNumbers();
  let known = 0;
  const check = (
    kind: number,
    rounding: number,
    operands: readonly [number, number, number],
    exact: bigint,
    env: Environment,
  ) => {
    const [n, m, addend] = operands;
    const result = numbers.compute(kind, format === double, rounding, n, m, addend);
    if (Number.isNaN(result)) return;
    known += 1;
    const name = `${String(kind)} ${String(rounding)} ${operands.join()}`;
    expect([name, bitsOf(result, format), numbers.inexact]).toEqual([name, exact, (env.raised & Flag.IXC) !== 0]);
    expect(env.raised & ~Flag.IXC).toBe(0);
  };
  for (let index = 0; index < CASES; index += 1) {
    const rounding = random.below(4);
    const [n, m, addend] = [operand(random, format), operand(random, format), operand(random, format)];
    const [bitsN, bitsM, bitsA] = [bitsOf(n, format), bitsOf(m, format), bitsOf(addend, format)];
    for (const [kind, operation] of Object.entries(operations)) {
      const env = new Environment(rounding << 22);
      check(Number(kind), rounding, [n, m, 0], operation(env, format, bitsN, bitsM), env);
    }
    const root = new Environment(rounding << 22);
    check(ExactKind.SquareRoot, rounding, [n, 0, 0], arithmetic.squareRoot(root, format, bitsN), root);
    const fused = new Environment(rounding << 22);
    const sum = arithmetic.multiplyAdd(fused, format, bitsA, bitsN, bitsM);
    check(ExactKind.MultiplyAdd, rounding, [n, m, addend], sum, fused);
  }
  expect(known).toBeGreaterThan(CASES * 4);
});

it.each([
  [1, 0],
  [0, 0],
  [Infinity, 2],
  [NaN, 2],
  [2 ** 500, 2 ** 500],
  [2 ** -1060, 1],
])('leaves the quotient of %d and %d to exact integers', (n, m) => {
  expect(new RoundedNumbers().compute(ExactKind.Divide, true, Rounding.Nearest, n, m, 0)).toBeNaN();
});
