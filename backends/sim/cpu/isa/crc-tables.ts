import type { LinearMemory } from '../linear-memory.ts';

/** Offsets in linear memory of the two tables of 256 words that CRC32 and CRC32C instructions use. */
export const CRC32_TABLE = 0x1000;
export const CRC32C_TABLE = 0x1400;

function fill(memory: LinearMemory, at: number, reflectedPolynomial: number): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ ((value & 1) === 1 ? reflectedPolynomial : 0);
    memory.u32[at / 4 + byte] = value;
  }
}

/** IEEE 802.3 for CRC32, Castagnoli for CRC32C (Arm ARM, C6.2 CRC32B and CRC32CB). */
export function fillCrcTables(memory: LinearMemory): void {
  fill(memory, CRC32_TABLE, 0xedb8_8320);
  fill(memory, CRC32C_TABLE, 0x82f6_3b78);
}
