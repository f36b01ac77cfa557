import { insn, xOrSp, xSource, type Decoded, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import type { Lowering } from './lowering.ts';
import { i64, type I64 } from '../wasm/expr.ts';

/** Addressing modes of loads and stores, as variants. */
export const Mode = { Offset: 0, Post: 1, Pre: 2, Register: 3, Unprivileged: 4 } as const;

/** One row of a load/store family: the transfer, once the address is known. */
export interface Transfer {
  /** The register operand of field Rt. */
  readonly d: number;
  /** What the transfer is specialised on. */
  readonly variant: readonly number[];
  /** log2 of the access size: scales immediates and register offsets. */
  readonly scale: number;
}

/** Fields that all loads and stores of one register have in the same place. */
interface TransferFields {
  readonly size: number;
  readonly V: number;
  readonly opc: number;
  readonly Rt: number;
}

/** The base register, with the alignment check for SP. Variants start with the mode and whether the base is SP. */
export function base(code: Lowering, sp: number | undefined): I64 {
  if (sp === 1) code.checkSp();
  return code.x('n');
}

/**
 * Address of an access, and the write-back that follows it; the offset is the instruction's constant.
 *
 * @param from makes the address in a local from the base register's value
 */
export function address(
  code: Lowering,
  mode: number | undefined,
  sp: number | undefined,
  from: (base: I64) => I64 = (value) => value,
): { at: I64; done: () => void } {
  const start = from(code.let(base(code, sp)));
  if (mode === Mode.Register) return { at: start, done: () => undefined };
  const moved = code.let(i64.add(start, code.imm()));
  const writeBack = (): void => {
    code.setX('n', moved);
  };
  if (mode === Mode.Post) return { at: start, done: writeBack };
  return { at: moved, done: mode === Mode.Pre ? writeBack : () => undefined };
}

/** Rm, extended as `option` says and shifted by the constant. */
function registerOffset(code: Lowering, option: number): I64 {
  const m = option === 2 ? i64.extendI32U(code.w('m')) : option === 6 ? i64.extendI32S(code.w('m')) : code.x('m');
  return i64.shl(m, i64.extendI32U(code.low()));
}

/**
 * The four encodings of every load or store of one register (Arm ARM, C4.1.94: unsigned offset, unscaled and
 * unprivileged, post- and pre-indexed, register offset).
 *
 * @param decode the transfer that the fields encode; undefined for an unallocated one
 * @param transfer moves the data, with the variant that `decode` returned
 */
export function singleRegister(
  name: string,
  decode: (fields: TransferFields) => Transfer | undefined,
  transfer: (code: Lowering, at: I64, variant: readonly number[], unprivileged: boolean) => void,
): readonly Definition[] {
  const build = (
    fields: TransferFields,
    Rn: number,
    mode: number,
    rest: (transfer: Transfer) => Decoded | undefined,
  ) => {
    const found = decode(fields);
    if (found === undefined) return undefined;
    const more = rest(found);
    if (more === undefined) return undefined;
    const variant = [mode, Rn === 31 ? 1 : 0, ...(more.variant ?? []), ...found.variant];
    return { ...more, variant, d: found.d, n: xOrSp(Rn) };
  };
  const lower = (code: Lowering, ...[mode, sp, ...variant]: number[]): void => {
    const { at, done } = address(code, mode, sp);
    transfer(code, at, variant, mode === Mode.Unprivileged);
    done();
  };
  return [
    insn(
      `${name} (unsigned offset)`,
      'size:2 111 V 01 opc:2 imm12:12 Rn:5 Rt:5',
      (f) => build(f, f.Rn, Mode.Offset, ({ scale }) => ({ imm: BigInt(f.imm12) << BigInt(scale) })),
      lower,
    ),
    insn(
      `${name} (unscaled, post-indexed, unprivileged, pre-indexed)`,
      'size:2 111 V 00 opc:2 0 imm9:9 form:2 Rn:5 Rt:5',
      (f) => {
        // There are no unprivileged forms for SIMD&FP.
        if (f.form === 2 && f.V === 1) return undefined;
        const mode = [Mode.Offset, Mode.Post, Mode.Unprivileged, Mode.Pre][f.form] ?? Mode.Offset;
        return build(f, f.Rn, mode, () => ({ imm: BigInt.asUintN(64, BigInt(signExtend(f.imm9, 9))) }));
      },
      lower,
    ),
    insn(
      `${name} (register)`,
      'size:2 111 V 00 opc:2 1 Rm:5 option:3 S 10 Rn:5 Rt:5',
      (f) =>
        build(f, f.Rn, Mode.Register, ({ scale }) => {
          if ((f.option & 2) === 0) return undefined;
          return { variant: [f.option === 7 ? 3 : f.option], m: xSource(f.Rm), low: f.S === 1 ? scale : 0 };
        }),
      (code, mode, sp, option, ...variant) => {
        const start = address(code, mode, sp).at;
        transfer(code, code.let(i64.add(start, registerOffset(code, option))), variant, false);
      },
    ),
  ];
}
