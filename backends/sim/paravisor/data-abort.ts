/**
 * The syndrome of a data abort (Arm ARM, ESR_ELx, ISS encoding for a data abort) as plain arithmetic on ESR bits 31:0, for the
 * path that a guest takes hundreds of thousands of times a second. `decodeSyndrome` is the form for people.
 */
const ISV = 1 << 24;
const SSE = 1 << 21;
const SF = 1 << 15;
const WNR = 1 << 6;
/** SRT value of the zero register. */
const ZERO_REGISTER = 31;

/** Whether SAS, SSE, SRT and SF describe the access. */
export function hasValidSyndrome(esr: number): boolean {
  return (esr & ISV) !== 0;
}

export function isWrite(esr: number): boolean {
  return (esr & WNR) !== 0;
}

/** Bytes of the access: 1, 2, 4 or 8. */
export function accessBytes(esr: number): number {
  return 1 << ((esr >>> 22) & 3);
}

/** Number of the transferred register, or -1 for the zero register. */
function transferRegister(esr: number): number {
  const register = (esr >>> 16) & 31;
  return register === ZERO_REGISTER ? -1 : register;
}

/**
 * The faulting IPA from HPFAR_EL2 and FAR_EL2. HPFAR_EL2.FIPA holds bits 51:12 of the IPA at bits 43:4. OpenHCL takes FAR_EL2
 * alone, which is a virtual address and so right only while stage 1 is off; this is right in both cases and the same in that one.
 */
export function faultIpa(hpfarLow: number, hpfarHigh: number, farLow: number): number {
  return (hpfarHigh & 0xfff) * 2 ** 40 + (hpfarLow >>> 4) * 4096 + (farLow & 0xfff);
}

/**
 * Low 32 bits of what a write stores, without those beyond its size.
 *
 * @param gprs index in `memory` of X0's low word
 */
export function writeValueLow(memory: Uint32Array, gprs: number, esr: number): number {
  const register = transferRegister(esr);
  if (register < 0) return 0;
  const low = memory[gprs + 2 * register] ?? 0;
  const bytes = accessBytes(esr);
  return bytes < 4 ? low & ((1 << (8 * bytes)) - 1) : low;
}

/** High 32 bits of what a write stores: 0 unless it is of 8 bytes. */
export function writeValueHigh(memory: Uint32Array, gprs: number, esr: number): number {
  const register = transferRegister(esr);
  return register < 0 || accessBytes(esr) < 8 ? 0 : (memory[gprs + 2 * register + 1] ?? 0);
}

/**
 * Completes a read: extends the value to the register's width as the load instruction would, and stores it.
 *
 * @param gprs index in `memory` of X0's low word
 * @param low value read; bits beyond the access size are ignored
 */
export function completeRead(memory: Uint32Array, gprs: number, esr: number, low: number, high: number): void {
  const register = transferRegister(esr);
  if (register < 0) return;
  const bytes = accessBytes(esr);
  const signExtend = (esr & SSE) !== 0;
  let valueLow = low;
  let valueHigh = bytes === 8 ? high : 0;
  if (bytes < 4) {
    const unused = 32 - 8 * bytes;
    valueLow = signExtend ? (low << unused) >> unused : (low << unused) >>> unused;
  }
  if (signExtend && bytes < 8) valueHigh = valueLow >> 31;
  if ((esr & SF) === 0) valueHigh = 0;
  memory[gprs + 2 * register] = valueLow;
  memory[gprs + 2 * register + 1] = valueHigh;
}
