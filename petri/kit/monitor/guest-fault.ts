import { decodeSyndrome, faultOrigin, summarizeSyndrome } from '../arm/index.ts';
import type { PayloadLocator } from '../../tmk/index.ts';
import type { HaltReason } from '../../contract/index.ts';
import type { GuestState } from './monitor-protocol.ts';

const HVC = 0x16;
const INSTRUCTION_ABORT = 0x20;
const DATA_ABORT = 0x24;

/** Why the monitor could not continue from an exit of its guest. */
export function guestFault(state: GuestState, locator: PayloadLocator): HaltReason {
  const { registers } = state;
  const { symbol } = locator.locate(registers.pc);
  return {
    reason: 'fault',
    message: `${describe(state, locator)}${faultOrigin(state.exception, registers, locator)}`,
    registers,
    ...(symbol === undefined ? {} : { symbol }),
  };
}

function describe({ esr, ipa, registers }: GuestState, locator: PayloadLocator): string {
  const { ec } = decodeSyndrome(esr);
  const summary = accessSummary(esr, ipa);
  switch (ec) {
    case HVC:
      return `${summary} with function 0x${((registers.x[0] ?? 0n) & 0xffff_ffffn).toString(16)}, which is not served`;
    case INSTRUCTION_ABORT:
      return `${summary}: there is no RAM`;
    case DATA_ABORT:
      return `${summary}: it cannot be emulated${locator.explainHole(ipa)}`;
    default:
      return `${summary}: the monitor does not serve exception class 0x${ec.toString(16)}`;
  }
}

export function accessSummary(esr: number, ipa: bigint): string {
  return summarizeSyndrome(decodeSyndrome(esr), ipa, 'address');
}
