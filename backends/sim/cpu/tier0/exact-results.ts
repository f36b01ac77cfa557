import { encodeModule, ValType, type FunctionBody, type FunctionType } from '../wasm/encode.ts';
import { f64, i32, localGet, stmt, v128, type AnyExpr, type F64, type I32, type V128 } from '../wasm/expr.ts';
import { f32x4, f64x2, type FloatShape } from '../wasm/lane-shapes.ts';

/**
 * Functions that say whether the third argument is exactly the sum, or the product, of the others: 1 for a double, or a
 * mask of lanes. They are pure, so all machines share one instance, and they exist because they are too long to be
 * generated in every place.
 */

/** The names of the functions, in the order of their imports. */
export const exactResultNames = ['isSum', 'isProduct', 'areSums4', 'areProducts4', 'areSums2', 'areProducts2'] as const;

const { I32: TypeI32, F64: TypeF64, V128: TypeV128 } = ValType;
export const scalarResultType: FunctionType = { params: [TypeF64, TypeF64, TypeF64], results: [TypeI32] };
export const vectorResultType: FunctionType = { params: [TypeV128, TypeV128, TypeV128], results: [TypeV128] };

/** Doubles with conditions, or lanes with masks. */
interface Numbers<T extends AnyExpr, B extends AnyExpr> {
  readonly type: T['type'];
  readonly local: ValType;
  /** What splits a number in two halves, and magnitudes between which nothing overflows or loses bits to denormals. */
  readonly splitter: number;
  readonly least: number;
  readonly most: number;
  constant(value: number): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  abs(a: T): T;
  eq(a: T, b: T): B;
  gt(a: T, b: T): B;
  and(a: B, b: B): B;
  or(a: B, b: B): B;
}

const DOUBLES = { splitter: 2 ** 27 + 1, least: 2 ** -400, most: 2 ** 400 };
const SINGLES = { splitter: 2 ** 12 + 1, least: 2 ** -40, most: 2 ** 40 };

const scalar: Numbers<F64, I32> = {
  ...f64,
  ...DOUBLES,
  type: 'f64',
  local: TypeF64,
  constant: f64.const,
  and: i32.and,
  or: i32.or,
};

function lanes(shape: FloatShape): Numbers<V128, V128> {
  const bounds = shape.bytes === 8 ? DOUBLES : SINGLES;
  return { ...shape, ...bounds, type: 'v128', local: TypeV128, constant: shape.all, and: v128.and, or: v128.or };
}

type Check = <T extends AnyExpr, B extends AnyExpr>(
  numbers: Numbers<T, B>,
  keep: (value: T) => T,
  a: T,
  b: T,
  result: T,
) => B;

/** Knuth's sum: what rounding lost is the difference of small terms. An overflow makes it NaN. */
const isSum: Check = (numbers, keep, a, b, result) => {
  const { add, sub, eq, and, constant } = numbers;
  const sum = keep(add(a, b));
  const second = keep(sub(sum, a));
  const lost = add(sub(a, sub(sum, second)), sub(b, second));
  return and(eq(lost, constant(0)), eq(sum, result));
};

/** Dekker's product. */
const isProduct: Check = (numbers, keep, a, b, result) => {
  const { add, sub, mul, abs, eq, gt, and, or, constant } = numbers;
  type T = typeof a;
  const split = (value: T): { high: T; low: T } => {
    const scaled = keep(mul(value, constant(numbers.splitter)));
    const high = keep(sub(scaled, sub(scaled, value)));
    return { high, low: keep(sub(value, high)) };
  };
  const product = keep(mul(a, b));
  const [first, second] = [split(a), split(b)];
  const cross = add(sub(mul(first.high, second.high), product), mul(first.high, second.low));
  const lost = add(add(cross, mul(first.low, second.high)), mul(first.low, second.low));
  const isModerate = (value: T) => {
    const between = and(gt(abs(value), constant(numbers.least)), gt(constant(numbers.most), abs(value)));
    return or(between, eq(value, constant(0)));
  };
  const isExact = and(eq(lost, constant(0)), eq(product, result));
  return and(isExact, and(isModerate(a), isModerate(b)));
};

function body<T extends AnyExpr, B extends AnyExpr>(type: number, numbers: Numbers<T, B>, check: Check): FunctionBody {
  const code: number[] = [];
  const locals: ValType[] = [];
  // Safe: parameters and locals have the type of the numbers.
  const local = (index: number): T => localGet(numbers.type, index) as unknown as T;
  const keep = (value: T): T => {
    const index = 3 + locals.length;
    locals.push(numbers.local);
    code.push(...stmt.localSet(index, value));
    return local(index);
  };
  code.push(...check(numbers, keep, local(0), local(1), local(2)).code);
  return { type, locals, code };
}

/** By name. */
export const exactResults: WebAssembly.Instance['exports'] = new WebAssembly.Instance(
  new WebAssembly.Module(
    encodeModule({
      types: [scalarResultType, vectorResultType],
      functionImports: [],
      functions: [
        body(0, scalar, isSum),
        body(0, scalar, isProduct),
        body(1, lanes(f32x4), isSum),
        body(1, lanes(f32x4), isProduct),
        body(1, lanes(f64x2), isSum),
        body(1, lanes(f64x2), isProduct),
      ],
      exports: Object.fromEntries(exactResultNames.map((name, index) => [name, index])),
    }),
  ),
).exports;
