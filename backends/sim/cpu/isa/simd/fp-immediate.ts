/** VFPExpandImm (Arm ARM, shared pseudocode): the floating-point constants that eight bits can express. */

export function expandImmediate16(imm8: number): number {
  const exponent = ((imm8 & 0x40) !== 0 ? 0xc : 0x10) + ((imm8 >> 4) & 3);
  return ((imm8 >> 7) << 15) | (exponent << 10) | ((imm8 & 15) << 6);
}

export function expandImmediate32(imm8: number): number {
  const exponent = ((imm8 & 0x40) !== 0 ? 0x7c : 0x80) + ((imm8 >> 4) & 3);
  return (((imm8 >> 7) << 31) | (exponent << 23) | ((imm8 & 15) << 19)) >>> 0;
}

export function expandImmediate64(imm8: number): bigint {
  const exponent = ((imm8 & 0x40) !== 0 ? 0x3fc : 0x400) + ((imm8 >> 4) & 3);
  return (BigInt(imm8 >> 7) << 63n) | (BigInt(exponent) << 52n) | (BigInt(imm8 & 15) << 48n);
}
