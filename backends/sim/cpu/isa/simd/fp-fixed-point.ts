import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, i64, v128, type V128 } from '../../wasm/expr.ts';
import { f32x4 } from '../../wasm/lane-shapes.ts';
import { Rounding } from '../../float/environment.ts';
import { ExactKind, packed, UNSIGNED } from '../../float/operation.ts';
import { exactFormat, writeRight, type Exactly } from './exactness.ts';
import { floatShape } from './float-width.ts';
import { powerOfTwo } from './fp-integer.ts';
import { halvesFromIntegers, halvesToIntegers } from './half-integer.ts';
import { fromIntegerLanes, toIntegerLanes } from './integer-lanes.ts';
import { keptByQ, row, type Kept, type Size } from './vector.ts';

function registers({ Rn, Rd }: Readonly<Record<'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

/** 2^exponent in each element of the instruction's 64-bit constant. */
function scaleConstant(sz: number, exponent: number): bigint {
  if (sz === 1) return powerOfTwo(exponent);
  const bits = BigInt(127 + exponent) << 23n;
  return (bits << 32n) | bits;
}

type ShiftFields = 'Q' | 'U' | 'immh' | 'immb' | 'Rn' | 'Rd';

/**
 * Fixed-point conversions of vectors (Arm ARM, C4.1.96). They are encoded as shifts by immediate; the shift amount is
 * the number of fraction bits.
 */
export const fixedPoint: readonly Definition[] = (['to', 'from'] as const).flatMap((direction) => {
  const opcode = direction === 'to' ? '11111' : '11100';
  const name = direction === 'to' ? 'FCVTZS, FCVTZU (vector, fixed-point)' : 'SCVTF, UCVTF (vector, fixed-point)';
  const decode = (f: Readonly<Record<ShiftFields, number>>, kept: (sz: number) => Kept | undefined) => {
    if (f.immh < 4) return undefined;
    const sz = f.immh >= 8 ? 1 : 0;
    const bytes = kept(sz);
    if (bytes === undefined) return undefined;
    const fractionBits = (sz === 1 ? 128 : 64) - (f.immh * 8 + f.immb);
    const imm = scaleConstant(sz, direction === 'to' ? fractionBits : -fractionBits);
    return { variant: [f.U, sz, bytes], ...registers(f), imm };
  };
  const kind = direction === 'to' ? ExactKind.ToFixed : ExactKind.FromFixed;
  const exactly = (code: Lowering, size: Size, kept: Kept, unsigned: number): Exactly => {
    const detail = Rounding.Zero | (unsigned === 1 ? UNSIGNED : 0);
    const operation = packed({ kind, format: exactFormat(size), lanes: kept >> size, detail });
    // The exponent of the scale is the number of fraction bits, or less it.
    const bits = i32.wrap(size === 3 ? i64.shrU(code.imm(), i64.const(52n)) : i64.shrU(code.imm(), i64.const(55n)));
    const exponent = i32.sub(bits, i32.const(size === 3 ? 1023 : 127));
    return { operation, parameter: direction === 'to' ? exponent : i32.sub(i32.const(0), exponent) };
  };
  const emit = (code: Lowering, unsigned = 0, sz = 0, kept = 16): void => {
    const signed = unsigned === 0;
    const shape = floatShape(sz);
    const scale = v128.splatI64(code.imm());
    const n = code.let(code.q('n'));
    const rest = exactly(code, sz + 2, kept, unsigned);
    if (direction === 'to') {
      // Scaling is exact unless it overflows to infinity, and then the result saturates anyway.
      const scaled = code.let(shape.mul(n, scale));
      const whole = code.let(shape.trunc(scaled));
      return writeRight(code, kept, toIntegerLanes(code, sz, kept, signed, scaled, whole), rest);
    }
    // The rounded number is far from denormal, so scaling it down is exact.
    const { value, ...computed } = fromIntegerLanes(code, sz, kept, signed, n);
    writeRight(code, kept, { ...computed, value: shape.mul(value, scale) }, rest);
  };
  const emitHalf = (code: Lowering, unsigned = 0, kept = 16): void => {
    const scaled = (value: V128): V128 => f32x4.mul(value, v128.splatI64(code.imm()));
    const lower =
      direction === 'to'
        ? halvesToIntegers(unsigned === 0, (_, value) => f32x4.trunc(value), scaled)
        : halvesFromIntegers(unsigned === 0, scaled);
    lower(code, kept, code.let(code.q('n')), exactly(code, 1, kept, unsigned));
  };
  const decodeHalf = (f: Readonly<Record<'U' | 'shift' | 'Rn' | 'Rd', number>>, kept: Kept) => {
    const fractionBits = 16 - f.shift;
    const imm = scaleConstant(0, direction === 'to' ? fractionBits : -fractionBits);
    return { variant: [f.U, kept], ...registers(f), imm };
  };
  return [
    row<'Q' | 'U' | 'shift' | 'Rn' | 'Rd'>(
      `${name} (half-precision)`,
      `0 Q U 011110 001 shift:4 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decodeHalf(f, keptByQ(f.Q)),
      emitHalf,
    ),
    row<'U' | 'shift' | 'Rn' | 'Rd'>(
      `${name} (scalar, half-precision)`,
      `01 U 111110 001 shift:4 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decodeHalf(f, 2),
      emitHalf,
    ),
    row<ShiftFields>(
      name,
      `0 Q U 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (sz) => (sz === 1 && f.Q === 0 ? undefined : keptByQ(f.Q))),
      emit,
    ),
    row<ShiftFields>(
      `${name} (scalar)`,
      `01 U 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (sz) => 4 << sz),
      emit,
    ),
  ];
});
