import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { convertVector, f32x4 } from '../../wasm/lane-shapes.ts';
import { atPrecision } from './float-width.ts';
import { fromInteger, powerOfTwo, toInteger } from './fp-integer.ts';
import { halvesFromIntegers, halvesToIntegers } from './half-integer.ts';
import { keptByQ, lanewise, row, write, type Kept } from './vector.ts';

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
  const emit = (code: Lowering, unsigned = 0, sz = 0, kept = 16): void => {
    const signed = unsigned === 0;
    if (sz === 0) {
      const scale = v128.splatI64(code.imm());
      const n = code.q('n');
      // Scaling is exact unless it overflows to infinity, and then the result saturates anyway.
      if (direction === 'to') {
        const scaled = f32x4.mul(n, scale);
        return write(code, (signed ? convertVector.truncSatF32S : convertVector.truncSatF32U)(scaled), kept);
      }
      return write(code, f32x4.mul((signed ? convertVector.fromI32S : convertVector.fromI32U)(n), scale), kept);
    }
    atPrecision(1, (width) => {
      lanewise(code, 3, kept, ({ read }) => {
        const scale = width.fromBits(code, code.imm());
        if (direction === 'to') return toInteger(width.mul(width.fromBits(code, read('n', false)), scale), signed);
        return width.bits(code, width.mul(fromInteger(width, read('n', false), signed), scale));
      });
    });
  };
  const emitHalf = (code: Lowering, unsigned = 0, kept = 16): void => {
    const scaled = (value: V128): V128 => f32x4.mul(value, v128.splatI64(code.imm()));
    const lower =
      direction === 'to'
        ? halvesToIntegers(unsigned === 0, (_, value) => scaled(value))
        : halvesFromIntegers(unsigned === 0, scaled);
    lower(code, kept, code.let(code.q('n')));
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
