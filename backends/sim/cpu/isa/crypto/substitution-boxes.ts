import type { LinearMemory } from '../../linear-memory.ts';
import { LookupTable } from '../../layout.ts';

/** Substitution of bytes in AES (FIPS 197, section 5.1.1) and SM4 (GB/T 32907-2016), from their definitions. */

/** Inverses of polynomials over {0, 1} modulo one of degree 8, of which x + 1 is a generator; that of zero is zero. */
function inverses(modulus: number): Uint8Array {
  const powers = new Uint8Array(255);
  let power = 1;
  for (let n = 0; n < 255; n += 1) {
    powers[n] = power;
    const doubled = power << 1;
    power ^= doubled < 256 ? doubled : doubled ^ modulus;
  }
  const found = new Uint8Array(256);
  for (const [n, value] of powers.entries()) found[value] = powers[(255 - n) % 255] ?? 0;
  return found;
}

/** The sum over {0, 1} of a byte rotated left by each amount. */
function rotations(value: number, amounts: readonly number[]): number {
  let sum = 0;
  for (const by of amounts) sum ^= (value << by) | (value >> (8 - by));
  return sum & 0xff;
}

function inverted(box: Uint8Array): Uint8Array {
  const inverse = new Uint8Array(256);
  for (const [value, substitute] of box.entries()) inverse[substitute] = value;
  return inverse;
}

const aes = inverses(0x11b).map((inverse) => rotations(inverse, [0, 1, 2, 3, 4]) ^ 0x63);
const aesInverse = inverted(aes);

function sm4Affine(value: number): number {
  return rotations(value, [0, 1, 3, 6, 7]) ^ 0xd3;
}
const sm4Inverses = inverses(0x1f5);
const sm4 = Uint8Array.from({ length: 256 }, (_, value) => sm4Affine(sm4Inverses[sm4Affine(value)] ?? 0));

/** Fills the tables of 256 bytes that instructions look up. */
export function fillSubstitutionBoxes(memory: LinearMemory): void {
  memory.u8.set(aes, LookupTable.Aes);
  memory.u8.set(aesInverse, LookupTable.AesInverse);
  memory.u8.set(sm4, LookupTable.Sm4);
}
