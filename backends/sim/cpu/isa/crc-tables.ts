import type { LinearMemory } from '../linear-memory.ts';
import { LookupTable } from '../layout.ts';

function fill(memory: LinearMemory, at: number, reflectedPolynomial: number): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ ((value & 1) === 1 ? reflectedPolynomial : 0);
    memory.u32[at / 4 + byte] = value;
  }
}

/** IEEE 802.3 for CRC32, Castagnoli for CRC32C (Arm ARM, C6.2 CRC32B and CRC32CB). */
export function fillCrcTables(memory: LinearMemory): void {
  fill(memory, LookupTable.Crc32, 0xedb8_8320);
  fill(memory, LookupTable.Crc32c, 0x82f6_3b78);
}
