/** Masks of ESR_ELx[31:0]: EC, IL, and the ISS of an abort (Arm ARM, D24.2.40). */
export const Esr = {
  EC: 0xfc00_0000,
  IL: 1 << 25,
  ISV: 1 << 24,
  SAS: 3 << 22,
  SSE: 1 << 21,
  SRT: 0x1f << 16,
  SF: 1 << 15,
  SET: 3 << 11,
  FnV: 1 << 10,
  EA: 1 << 9,
  S1PTW: 1 << 7,
  WnR: 1 << 6,
  FSC: 0x3f,
} as const;

/** ESR_ELx.SRT of the zero register. */
export const ZERO_REGISTER = 31;

/** Whether SAS, SSE, SRT and SF of a data abort describe the access. */
export function hasValidSyndrome(esr: number): boolean {
  return (esr & Esr.ISV) !== 0;
}

/** Whether a data abort was a write. */
export function isWrite(esr: number): boolean {
  return (esr & Esr.WnR) !== 0;
}

/** Bytes of the access of a data abort whose syndrome is valid. */
export function accessBytes(esr: number): 1 | 2 | 4 | 8 {
  return ACCESS_BYTES[(esr & Esr.SAS) >>> 22] ?? 8;
}

/** By ESR_ELx.SAS. */
const ACCESS_BYTES = [1, 2, 4, 8] as const;

/** The register that a data abort with a valid syndrome reads or writes: 0 to 30, or `ZERO_REGISTER`. */
export function transferRegister(esr: number): number {
  return (esr & Esr.SRT) >>> 16;
}
