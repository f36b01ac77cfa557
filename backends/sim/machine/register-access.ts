import { accessBytes, Esr, isWrite, transferRegister, ZERO_REGISTER } from '../../../petri/kit/arm/index.ts';
import type { AccessBytes } from './device.ts';

/*
 * The operands of data aborts, as plain arithmetic on 32-bit words: a guest may take this path hundreds of thousands of
 * times a second.
 */

/** What has registers at physical addresses: a `Bus`. */
export interface Registers {
  read(address: number, bytes: 1 | 2 | 4): number;
  write(address: number, bytes: AccessBytes, low: number, high: number): void;
}

/**
 * Serves a data abort with a valid syndrome by devices, but for PC, which the caller moves on.
 *
 * @param gprs index in `memory` of X0's low word
 */
export function serveDevice(devices: Registers, memory: Uint32Array, gprs: number, esr: number, ipa: number): void {
  const bytes = accessBytes(esr);
  if (isWrite(esr)) {
    const low = writeValueLow(memory, gprs, esr);
    devices.write(ipa, bytes, low, writeValueHigh(memory, gprs, esr));
  } else if (bytes === 8) {
    const low = devices.read(ipa, 4);
    completeRead(memory, gprs, esr, low, devices.read(ipa + 4, 4));
  } else {
    completeRead(memory, gprs, esr, devices.read(ipa, bytes), 0);
  }
}

/**
 * Low 32 bits of the value that a write stores, truncated to its size.
 *
 * @param gprs index in `memory` of X0's low word
 */
export function writeValueLow(memory: Uint32Array, gprs: number, esr: number): number {
  const register = transferRegister(esr);
  if (register === ZERO_REGISTER) return 0;
  const low = memory[gprs + 2 * register] ?? 0;
  const bytes = accessBytes(esr);
  return bytes < 4 ? low & ((1 << (8 * bytes)) - 1) : low;
}

/** High 32 bits of the value that a write stores: 0 unless it stores 8 bytes. */
export function writeValueHigh(memory: Uint32Array, gprs: number, esr: number): number {
  const register = transferRegister(esr);
  return register === ZERO_REGISTER || accessBytes(esr) < 8 ? 0 : (memory[gprs + 2 * register + 1] ?? 0);
}

/**
 * Completes a read: extends the value to the register's width as the load instruction would, and stores it.
 *
 * @param gprs index in `memory` of X0's low word
 * @param low value read; bits beyond the access size are ignored
 */
export function completeRead(memory: Uint32Array, gprs: number, esr: number, low: number, high: number): void {
  const register = transferRegister(esr);
  if (register === ZERO_REGISTER) return;
  const bytes = accessBytes(esr);
  const signExtend = (esr & Esr.SSE) !== 0;
  let valueLow = low;
  let valueHigh = bytes === 8 ? high : 0;
  if (bytes < 4) {
    const unused = 32 - 8 * bytes;
    valueLow = signExtend ? (low << unused) >> unused : (low << unused) >>> unused;
  }
  if (signExtend && bytes < 8) valueHigh = valueLow >> 31;
  if ((esr & Esr.SF) === 0) valueHigh = 0;
  memory[gprs + 2 * register] = valueLow;
  memory[gprs + 2 * register + 1] = valueHigh;
}
