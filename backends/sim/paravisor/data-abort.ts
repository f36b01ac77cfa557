import { hasValidSyndrome, isWrite } from '../../../petri/kit/arm/index.ts';
import { COMMAND_ADDRESS, type TmkMonitor } from '../../../petri/tmk/index.ts';
import { completeRead, GRANULE_SIZE, writeValueHigh, writeValueLow } from '../machine/index.ts';

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
