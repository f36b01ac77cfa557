import { vElement, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import type { V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { doublingHigh } from './doubling.ts';
import { longProducts } from './three-different.ts';
import { keptByQ, row, write, type Kept, type VectorOperands } from './vector.ts';

export type IndexedFields = 'Q' | 'U' | 'size' | 'L' | 'M' | 'Rm' | 'H' | 'Rn' | 'Rd';
export type IndexedValues = Readonly<Record<IndexedFields, number>>;

/** Registers of the indexed forms; `m` is the slot of the element. Sizes 1 to 3. */
export function indexedOperands(f: Omit<IndexedValues, 'Q' | 'U' | 'size'>, size: number) {
  const index = size === 1 ? f.H * 4 + f.L * 2 + f.M : size === 2 ? f.H * 2 + f.L : f.H;
  const m = vElement(size === 1 ? f.Rm : f.M * 16 + f.Rm, 1 << size, index);
  return { d: vRegister(f.Rd), n: vRegister(f.Rn), m };
}

/** The element in all lanes; read it before writing anything. */
export function indexedElement(code: Lowering, size: number): V128 {
  const shape = integerShape(size);
  return code.let(shape.splat(code.element('m', shape.bytes, 0)));
}

type Pattern = { readonly vector: string; readonly scalar: string };

export function indexedPatterns(U: '0' | '1' | 'U', opcode: string): Pattern {
  return {
    vector: `0 Q ${U} 01111 size:2 L M Rm:4 ${opcode} H 0 Rn:5 Rd:5`,
    scalar: `01 ${U} 11111 size:2 L M Rm:4 ${opcode} H 0 Rn:5 Rd:5`,
  };
}

interface SameWidth {
  readonly name: string;
  readonly U: '0' | '1';
  readonly opcode: string;
  readonly scalar?: boolean;
  readonly result: (operands: VectorOperands) => V128;
}

const sameWidth: readonly SameWidth[] = [
  { name: 'MUL (by element)', U: '0', opcode: '1000', result: ({ shape, n, m }) => shape.mul(n, m) },
  {
    name: 'MLA (by element)',
    U: '1',
    opcode: '0000',
    result: ({ code, shape, n, m }) => shape.add(code.q('d'), shape.mul(n, m)),
  },
  {
    name: 'MLS (by element)',
    U: '1',
    opcode: '0100',
    result: ({ code, shape, n, m }) => shape.sub(code.q('d'), shape.mul(n, m)),
  },
  {
    name: 'SQDMULH (by element)',
    U: '0',
    opcode: '1100',
    scalar: true,
    result: ({ code, size, kept, n, m }) => doublingHigh(code, size, kept, false, n, m),
  },
  {
    name: 'SQRDMULH (by element)',
    U: '0',
    opcode: '1101',
    scalar: true,
    result: ({ code, size, kept, n, m }) => doublingHigh(code, size, kept, true, n, m),
  },
];

function sameWidthRows({ name, U, opcode, scalar = false, result }: SameWidth): readonly Definition[] {
  const patterns = indexedPatterns(U, opcode);
  const decode = (f: IndexedValues, kept: Kept) =>
    f.size === 1 || f.size === 2 ? { variant: [f.size, kept], ...indexedOperands(f, f.size) } : undefined;
  const lower = (code: Lowering, size = 1, kept = 16): void => {
    const shape = integerShape(size);
    write(code, result({ code, size, kept, shape, n: code.let(code.q('n')), m: indexedElement(code, size) }), kept);
  };
  const vector = row<IndexedFields>(name, patterns.vector, (f) => decode(f, keptByQ(f.Q)), lower);
  if (!scalar) return [vector];
  return [vector, row<IndexedFields>(`${name} (scalar)`, patterns.scalar, (f) => decode(f, 1 << f.size), lower)];
}

const long: readonly Definition[] = [
  { name: 'SMLAL, UMLAL (by element)', U: 'U' as const, opcode: '0010', result: longProducts.multiplyAdd },
  { name: 'SMLSL, UMLSL (by element)', U: 'U' as const, opcode: '0110', result: longProducts.multiplySubtract },
  { name: 'SMULL, UMULL (by element)', U: 'U' as const, opcode: '1010', result: longProducts.multiply },
  { name: 'SQDMLAL (by element)', U: '0' as const, opcode: '0011', result: longProducts.doublingAdd },
  { name: 'SQDMLSL (by element)', U: '0' as const, opcode: '0111', result: longProducts.doublingSubtract },
  { name: 'SQDMULL (by element)', U: '0' as const, opcode: '1011', result: longProducts.doubling },
].flatMap(({ name, U, opcode, result }) => {
  const patterns = indexedPatterns(U, opcode);
  const emit = (code: Lowering, unsigned: number, size: number, high: number, kept: Kept): void => {
    const m = indexedElement(code, size);
    const n = code.let(code.q('n'));
    const wide = integerShape(size + 1);
    write(code, result({ code, size, wide, signed: unsigned === 0, high: high === 1, kept, n, m }), kept);
  };
  const vector = row<IndexedFields>(
    name,
    patterns.vector,
    (f) => {
      if (f.size !== 1 && f.size !== 2) return undefined;
      return { variant: [U === 'U' ? f.U : 0, f.size, f.Q], ...indexedOperands(f, f.size) };
    },
    (code, unsigned = 0, size = 1, high = 0) => {
      emit(code, unsigned, size, high, 16);
    },
  );
  if (U === 'U') return [vector];
  const scalar = row<IndexedFields>(
    `${name} (scalar)`,
    patterns.scalar,
    (f) => (f.size === 1 || f.size === 2 ? { variant: [f.size], ...indexedOperands(f, f.size) } : undefined),
    (code, size = 1) => {
      emit(code, 0, size, 0, 2 << size);
    },
  );
  return [vector, scalar];
});

/** Advanced SIMD and scalar x indexed element, integer (Arm ARM, C4.1.96). */
export const byElement: readonly Definition[] = [...sameWidth.flatMap(sameWidthRows), ...long];
