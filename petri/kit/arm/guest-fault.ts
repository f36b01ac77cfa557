import type { HaltReason, Registers } from '../../contract/index.ts';
import type { TmkMonitor } from '../../tmk/index.ts';
import { faultOrigin } from './fault-location.ts';
import { decodeSyndrome, summarizeSyndrome } from './syndrome.ts';
import type { ExceptionState } from './vector-fetch.ts';

const HVC = 0x16;
const INSTRUCTION_ABORT = 0x20;
const DATA_ABORT = 0x24;

/** What a guest of a plain VM did when it left for its monitor. */
export interface GuestExit {
  readonly registers: Registers;
  readonly exception: ExceptionState | undefined;
  /** ESR_EL2 bits 31:0. */
  readonly esr: number;
  /** From HPFAR_EL2 and FAR_EL2, for aborts. */
  readonly ipa: bigint;
}

/** Why the monitor of a plain VM could not continue from an exit of its guest. */
export function guestFault(exit: GuestExit, monitor: TmkMonitor): HaltReason {
  const { registers, exception } = exit;
  const message = `${describe(exit, monitor)}${faultOrigin(exception, registers, monitor.locator)}`;
  return monitor.haltAt('fault', message, registers);
}

function describe({ esr, ipa, registers }: GuestExit, { locator }: TmkMonitor): string {
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

/** The access of an exit to the monitor of a plain VM, in words. */
export function accessSummary(esr: number, ipa: bigint): string {
  return summarizeSyndrome(decodeSyndrome(esr), ipa, 'address');
}
