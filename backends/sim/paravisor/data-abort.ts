import {
  accessBytes,
  Esr,
  hasValidSyndrome,
  isWrite,
  transferRegister,
  ZERO_REGISTER,
} from '../../../petri/kit/arm/index.ts';
import { COMMAND_ADDRESS, type TmkMonitor } from '../../../petri/tmk/index.ts';
import { GRANULE_SIZE } from '../machine/index.ts';

/*
 * The operands of data aborts, as plain arithmetic on 32-bit words: a guest may take this path hundreds of thousands of
 * times a second.
 */

/** What became of an access outside of RAM. */
export const Access = { Refused: 0, Done: 1, Command: 2 } as const;
export type Access = (typeof Access)[keyof typeof Access];

/**
 * Serves a data abort as a TMK's monitor does, but for PC, which the caller moves on, and for a command, of which it
 * knows how to read memory.
 *
 * @param gprs index in `memory` of X0's low word
 * @param summary the access and its address, in words
 */
export function serveAccess(
  monitor: TmkMonitor,
  memory: Uint32Array,
  gprs: number,
  esr: number,
  ipa: number,
  summary: () => string,
): Access {
  if (!hasValidSyndrome(esr) || !monitor.emulates(ipa)) return Access.Refused;
  if (!isWrite(esr)) {
    monitor.read(ipa, summary);
    completeRead(memory, gprs, esr, 0xffff_ffff, 0xffff_ffff);
    return Access.Done;
  }
  if (ipa === COMMAND_ADDRESS) return Access.Command;
  monitor.write(writeValueLow(memory, gprs, esr), writeValueHigh(memory, gprs, esr), summary);
  return Access.Done;
}

/** A device with registers in memory. */
interface Registers {
  /** Reads the 32 bits around an address. */
  read(address: number): number;
  write(address: number, bytes: number, low: number, high: number): void;
}

/**
 * Serves a data abort with a valid syndrome by a device, but for PC, which the caller moves on.
 *
 * @param gprs index in `memory` of X0's low word
 */
export function serveDevice(device: Registers, memory: Uint32Array, gprs: number, esr: number, ipa: number): void {
  const bytes = accessBytes(esr);
  if (isWrite(esr)) {
    device.write(ipa, bytes, writeValueLow(memory, gprs, esr), writeValueHigh(memory, gprs, esr));
    return;
  }
  const low = device.read(ipa) >>> (8 * (ipa % 4));
  completeRead(memory, gprs, esr, low, bytes === 8 ? device.read(ipa + 4) : 0);
}

/** What a write stores, exact where it can be an address. */
export function storedAddress(memory: Uint32Array, gprs: number, esr: number): number {
  return writeValueHigh(memory, gprs, esr) * 2 ** 32 + writeValueLow(memory, gprs, esr);
}

/**
 * The faulting IPA from HPFAR_EL2 and FAR_EL2. HPFAR_EL2.FIPA holds bits 51:12 of the IPA at bits 43:4. OpenHCL uses
 * FAR_EL2 alone, which is a virtual address and so equals the IPA only while stage 1 is off.
 */
export function faultIpa(hpfarLow: number, hpfarHigh: number, farLow: number): number {
  return (hpfarHigh & 0xfff) * 2 ** 40 + (hpfarLow >>> 4) * GRANULE_SIZE + (farLow & 0xfff);
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
