import { insn, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import { keptByQ, row, write, type Kept, type Size } from './vector.ts';

/** Folds the lanes of the low `kept` bytes into the lowest. */
function reduced(code: Lowering, size: Size, kept: Kept, value: V128, combine: (a: V128, b: V128) => V128): V128 {
  let result = code.let(value);
  for (let distance = kept / 2; distance >= 1 << size; distance /= 2) {
    const lanes = Array.from({ length: 16 }, (_, at) => (at + distance) % 16);
    result = code.let(combine(result, v128.shuffle(result, result, lanes)));
  }
  return result;
}

interface Family {
  readonly name: string;
  readonly opcode: string;
  /** Whether the result is twice as wide as the elements. */
  readonly long?: boolean;
  readonly U: '0' | 'U';
  readonly combine: (size: Size, signed: boolean) => (a: V128, b: V128) => V128;
}

const families: readonly Family[] = [
  { name: 'SADDLV, UADDLV', opcode: '00011', U: 'U', long: true, combine: (size) => integerShape(size).add },
  {
    name: 'SMAXV, UMAXV',
    opcode: '01010',
    U: 'U',
    combine: (size, signed) => (signed ? integerShape(size).maxS : integerShape(size).maxU),
  },
  {
    name: 'SMINV, UMINV',
    opcode: '11010',
    U: 'U',
    combine: (size, signed) => (signed ? integerShape(size).minS : integerShape(size).minU),
  },
  { name: 'ADDV', opcode: '11011', U: '0', combine: (size) => integerShape(size).add },
];

/** Advanced SIMD across lanes and scalar pairwise, integer (Arm ARM, C4.1.96). */
export const acrossLanes: readonly Definition[] = [
  ...families.map(({ name, opcode, U, long = false, combine }) =>
    row<'Q' | 'U' | 'size' | 'Rn' | 'Rd'>(
      name,
      `0 Q ${U} 01110 size:2 11000 ${opcode} 10 Rn:5 Rd:5`,
      (f) => {
        if (f.size === 3 || (f.size === 2 && f.Q === 0)) return undefined;
        return { variant: [U === 'U' ? f.U : 0, f.size, keptByQ(f.Q)], d: vRegister(f.Rd), n: vRegister(f.Rn) };
      },
      (code, unsigned = 0, size = 0, kept = 16) => {
        const signed = unsigned === 0;
        if (!long) {
          return write(code, reduced(code, size, kept, code.q('n'), combine(size, signed)), 1 << size);
        }
        const wide = integerShape(size + 1);
        const n = code.let(code.q('n'));
        const low = wideningFrom(size).extend(signed, false, n);
        const lanes = kept === 16 ? wide.add(low, wideningFrom(size).extend(signed, true, n)) : low;
        // The extended elements fill a whole vector; with Q = 0 they are those of the low half.
        write(code, reduced(code, size + 1, 16, lanes, combine(size + 1, signed)), 2 << size);
      },
    ),
  ),
  insn(
    'ADDP (scalar)',
    '01 0 11110 11 11000 11011 10 Rn:5 Rd:5',
    ({ Rn, Rd }) => ({ variant: [], d: vRegister(Rd), n: vRegister(Rn) }),
    (code) => {
      write(code, reduced(code, 3, 16, code.q('n'), integerShape(3).add), 8);
    },
  ),
];
