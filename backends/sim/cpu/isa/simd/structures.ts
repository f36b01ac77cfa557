import { base } from '../addressing.ts';
import { insn, vElement, vRegister, xOrSp, xSource, type Decoded, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i64, v128, type I32, type I64, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { keep, keptByQ, pick, type Kept } from './vector.ts';

/**
 * A list of one to four consecutive registers, which continues at V0 after V31: the first `wraps` of them are numbered
 * from operand `d`, the others from `a`.
 */
interface RegisterList {
  readonly registers: number;
  readonly wraps: number;
}

function fromRegister<T>({ wraps }: RegisterList, k: number, use: (operand: 'd' | 'a', after: number) => T): T {
  return k < wraps ? use('d', k) : use('a', k - wraps);
}

/** The write-back: none, the number of bytes transferred, or Xm. */
const Post = { None: 0, Bytes: 1, Register: 2 } as const;

/** The operands that all forms share; `Rm` is that of the post-indexed forms. */
function operands(
  f: { readonly Rn: number; readonly Rt: number },
  Rm: number | undefined,
  registers: number,
  variant: readonly number[],
): Decoded {
  const post = Rm === undefined ? Post.None : Rm === 31 ? Post.Bytes : Post.Register;
  return {
    variant: [post, f.Rn === 31 ? 1 : 0, registers, Math.min(registers, 32 - f.Rt), ...variant],
    n: xOrSp(f.Rn),
    ...(post === Post.Register ? { m: xSource(Rm ?? 0) } : {}),
    a: vRegister(0),
  };
}

function postIndex(code: Lowering, at: I64, post: number, bytes: number): void {
  if (post === Post.None) return;
  code.setX('n', i64.add(at, post === Post.Bytes ? i64.const(BigInt(bytes)) : code.x('m')));
}

/** Memory in chunks of a register's size, and where each byte of each register is in them. */
function interleaved(list: RegisterList, size: number, kept: Kept) {
  const bytes = 1 << size;
  /** Bytes of register k, counted through 16-byte vectors of which `kept` bytes are used. */
  const ofRegister = (k: number): (number | undefined)[] =>
    Array.from({ length: 16 }, (_, at) => {
      if (at >= kept) return undefined;
      const inMemory = (Math.floor(at / bytes) * list.registers + k) * bytes + (at % bytes);
      return Math.floor(inMemory / kept) * 16 + (inMemory % kept);
    });
  const ofMemory = (piece: number): (number | undefined)[] =>
    Array.from({ length: 16 }, (_, at) => {
      if (at >= kept) return undefined;
      const element = Math.floor((piece * kept + at) / bytes);
      return (element % list.registers) * 16 + Math.floor(element / list.registers) * bytes + (at % bytes);
    });
  return { ofRegister, ofMemory };
}

function loadMultiple(code: Lowering, place: I32, list: RegisterList, size: number, kept: Kept, structured: boolean) {
  const pieces = Array.from({ length: list.registers }, (_, k) =>
    code.let((kept === 16 ? v128.load : v128.load64Zero)(place, k * kept)),
  );
  const { ofRegister } = interleaved(list, size, kept);
  const values = pieces.map((piece, k) => (structured ? code.let(pick(code, pieces, ofRegister(k))) : piece));
  for (const [k, value] of values.entries()) {
    fromRegister(list, k, (operand, after) => {
      code.setQ(operand, value, after);
    });
  }
}

function storeMultiple(code: Lowering, place: I32, list: RegisterList, size: number, kept: Kept, structured: boolean) {
  const values = Array.from({ length: list.registers }, (_, k) =>
    fromRegister(list, k, (operand, after) => code.let(code.q(operand, after))),
  );
  const { ofMemory } = interleaved(list, size, kept);
  for (const [k, value] of values.entries()) {
    const piece: V128 = structured ? pick(code, values, ofMemory(k)) : value;
    code.emit(kept === 16 ? v128.store(place, piece, k * 16) : i64.store(place, v128.extractI64(piece, 0), k * 8));
  }
}

/** Number of registers, and whether their elements are interleaved, by `opcode`. */
const multipleForms: Readonly<Record<number, { readonly registers: number; readonly structured: boolean }>> = {
  0: { registers: 4, structured: true },
  2: { registers: 4, structured: false },
  4: { registers: 3, structured: true },
  6: { registers: 3, structured: false },
  7: { registers: 1, structured: false },
  8: { registers: 2, structured: true },
  10: { registers: 2, structured: false },
};

interface MultipleFields {
  readonly Q: number;
  readonly L: number;
  readonly opcode: number;
  readonly size: number;
  readonly Rn: number;
  readonly Rt: number;
}

function decodeMultiple(f: MultipleFields, Rm?: number): Decoded | undefined {
  const form = multipleForms[f.opcode];
  if (form === undefined || (form.structured && f.size === 3 && f.Q === 0)) return undefined;
  const variant = [f.L, f.size, keptByQ(f.Q), form.structured ? 1 : 0];
  return { ...operands(f, Rm, form.registers, variant), d: vRegister(f.Rt) };
}

const lowerMultiple = (code: Lowering, ...variant: number[]): void => {
  const [post = 0, sp = 0, registers = 1, wraps = 1, load = 0, size = 0, kept = 16, structured = 0] = variant;
  const list = { registers, wraps };
  const at = code.let(base(code, sp));
  const bytes = registers * kept;
  if (load === 1) {
    loadMultiple(code, code.readable(at, bytes, 1 << size), list, size, kept, structured === 1);
  } else {
    code.writable(
      at,
      bytes,
      (place) => {
        storeMultiple(code, place, list, size, kept, structured === 1);
      },
      1 << size,
    );
  }
  postIndex(code, at, post, bytes);
};

interface SingleFields {
  readonly Q: number;
  readonly L: number;
  readonly R: number;
  readonly opcode: number;
  readonly S: number;
  readonly size: number;
  readonly Rn: number;
  readonly Rt: number;
}

/** Element size and index of a single-structure access (Arm ARM, C6.2 of LD1 (single structure)). */
function singleElement({ Q, opcode, S, size }: SingleFields): { size: number; index: number } | undefined {
  const qs = Q * 2 + S;
  switch (opcode >> 1) {
    case 0:
      return { size: 0, index: qs * 4 + size };
    case 1:
      return (size & 1) === 1 ? undefined : { size: 1, index: qs * 2 + (size >> 1) };
    default:
      if (size === 0) return { size: 2, index: qs };
      return size === 1 && S === 0 ? { size: 3, index: Q } : undefined;
  }
}

function decodeSingle(f: SingleFields, Rm?: number): Decoded | undefined {
  const registers = (f.opcode & 1) * 2 + f.R + 1;
  if (f.opcode >> 1 === 3) {
    if (f.L === 0 || f.S === 1) return undefined;
    return { ...operands(f, Rm, registers, [2, f.size, keptByQ(f.Q)]), d: vRegister(f.Rt) };
  }
  const element = singleElement(f);
  if (element === undefined) return undefined;
  const bytes = 1 << element.size;
  const decoded = operands(f, Rm, registers, [f.L, element.size]);
  // Both parts of the list are numbered from the element's slot.
  return { ...decoded, d: vElement(f.Rt, bytes, element.index), a: vElement(0, bytes, element.index) };
}

function loadElement(place: I32, size: number, offset: number): I64 {
  return ([i64.load8U, i64.load16U, i64.load32U][size] ?? i64.load)(place, offset);
}

const lowerSingle = (code: Lowering, ...variant: number[]): void => {
  const [post = 0, sp = 0, registers = 1, wraps = 1, kind = 0, size = 0, kept = 16] = variant;
  const list = { registers, wraps };
  const { bytes, splat } = integerShape(size);
  const at = code.let(base(code, sp));
  const total = registers * bytes;
  const elementsAway = (after: number): number => (after * 16) / bytes;
  if (kind === 0) {
    const store = [i64.store8, i64.store16, i64.store32][size] ?? i64.store;
    code.writable(
      at,
      total,
      (place) => {
        for (let k = 0; k < registers; k += 1) {
          const value = fromRegister(list, k, (operand, after) => code.element(operand, bytes, elementsAway(after)));
          code.emit(store(place, value, k * bytes));
        }
      },
      bytes,
    );
  } else {
    const place = code.readable(at, total, bytes);
    for (let k = 0; k < registers; k += 1) {
      const value = loadElement(place, size, k * bytes);
      fromRegister(list, k, (operand, after) => {
        if (kind === 1) code.setElement(operand, bytes, elementsAway(after), value);
        else code.setQ(operand, keep(splat(value), kept), after);
      });
    }
  }
  postIndex(code, at, post, total);
};

/** Advanced SIMD load/store structures (Arm ARM, C4.1.94). */
export const structures: readonly Definition[] = [
  insn(
    'LD1, LD2, LD3, LD4, ST1, ST2, ST3, ST4 (multiple structures)',
    '0 Q 0011000 L 000000 opcode:4 size:2 Rn:5 Rt:5',
    (f) => decodeMultiple(f),
    lowerMultiple,
  ),
  insn(
    'LD1, LD2, LD3, LD4, ST1, ST2, ST3, ST4 (multiple structures, post-indexed)',
    '0 Q 0011001 L 0 Rm:5 opcode:4 size:2 Rn:5 Rt:5',
    (f) => decodeMultiple(f, f.Rm),
    lowerMultiple,
  ),
  insn(
    'LD1, LD2, LD3, LD4, ST1, ST2, ST3, ST4 (single structure), LD1R, LD2R, LD3R, LD4R',
    '0 Q 0011010 L R 00000 opcode:3 S size:2 Rn:5 Rt:5',
    (f) => decodeSingle(f),
    lowerSingle,
  ),
  insn(
    'LD1, LD2, LD3, LD4, ST1, ST2, ST3, ST4 (single structure, post-indexed), LD1R, LD2R, LD3R, LD4R',
    '0 Q 0011011 L R Rm:5 opcode:3 S size:2 Rn:5 Rt:5',
    (f) => decodeSingle(f, f.Rm),
    lowerSingle,
  ),
];
