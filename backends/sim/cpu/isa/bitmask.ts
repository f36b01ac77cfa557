/**
 * DecodeBitMasks of the Arm ARM's shared pseudocode: the immediate of the logical instructions.
 *
 * @returns undefined for a reserved encoding
 */
export function decodeBitMasks(sf: number, n: number, imms: number, immr: number): bigint | undefined {
  if (sf === 0 && n === 1) return undefined;
  const length = 31 - Math.clz32((n << 6) | (~imms & 0x3f));
  if (length < 1) return undefined;
  const size = 1 << length;
  const ones = (imms & (size - 1)) + 1;
  if (ones === size) return undefined;
  const rotation = BigInt(immr & (size - 1));
  const element = (1n << BigInt(ones)) - 1n;
  const width = BigInt(size);
  const rotated = BigInt.asUintN(size, (element >> rotation) | (element << (width - rotation)));
  let value = 0n;
  for (let at = 0n; at < 64n; at += width) value |= rotated << at;
  return BigInt.asUintN(sf === 1 ? 64 : 32, value);
}
