import { isPermissionFault } from '../../../petri/kit/arm/index.ts';
import type { PlaneExit } from '../../../petri/contract/index.ts';
import { ExceptionClass } from '../cpu/index.ts';

/** Result of RSI_IPA_STATE_GET for the faulting page; undefined if it failed. */
type FaultRipas = 'EMPTY' | 'RAM' | 'DESTROYED' | 'DEV' | undefined;

const ripasNames: readonly FaultRipas[] = ['EMPTY', 'RAM', 'DESTROYED', 'DEV'];

export function ripasName(value: number): FaultRipas {
  return ripasNames[value];
}

/**
 * Why plane 1 cannot continue after an instruction abort.
 *
 * @param ipaWidth bits of the realm's IPA space; its lower half is the protected address range (PAR)
 */
export function describeInstructionAbort(exit: PlaneExit, ipaWidth: number, ripas: FaultRipas): string {
  const { ipa } = exit;
  if (ipa === undefined) return `${exit.summary}: plane 0 cannot continue`;
  const at = `instruction abort: fetch at IPA 0x${ipa.toString(16)}`;
  if (ipa >= 1n << BigInt(ipaWidth)) return `${at}, outside of PAR: beyond the IPA space of ${ipaWidth} bits`;
  if (ipa >= 1n << BigInt(ipaWidth - 1)) return `${at}, outside of PAR: in the unprotected half of the IPA space`;
  switch (ripas) {
    case undefined:
      return `${at}, whose RIPAS the RMM does not report`;
    case 'RAM':
      return isPermissionFault(exit.iss['IFSC'] ?? 0)
        ? `${at}, permission fault: RIPAS is RAM, but plane 1 may not execute there`
        : `${at}, RIPAS is RAM, but it is not mapped for plane 1`;
    default:
      return `${at}, RIPAS is ${ripas}: there is nothing to execute`;
  }
}

/** Why plane 1 cannot continue after any other exit. */
export function describeUnserved(exit: PlaneExit): string {
  if (exit.reason !== 'sync') return `${exit.summary}: plane 0 does not know this exit reason`;
  if (exit.ec === ExceptionClass.DataAbortLower && exit.iss['ISV'] === 0) {
    return `${exit.summary}: no syndrome describes such an access (pair, exclusive, vector, atomic), so it cannot be emulated`;
  }
  if (exit.ec === ExceptionClass.DataAbortLower) return `${exit.summary}: no device is emulated there`;
  return `${exit.summary}: plane 0 does not serve exception class 0x${exit.ec.toString(16)}`;
}
