import type { CpuContext, SyncExit } from '../../cpu/index.ts';
import { PlaneExitReason } from '../abi/plane-run.ts';
import { AbortTarget, dataAbortTarget, instructionAbortTarget } from '../realm/abort-target.ts';
import { exitDataAbort, exitInstructionAbort, injectExternalAbort } from '../rec/aborts.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { exitPlane } from './plane-exit.ts';

/** FAR_EL2 of the last exception. */
function faultAddress({ rec, view }: RecEntry): bigint {
  return view.getBigUint64(rec.vcpu.el2.far, true);
}

/** Serves a data abort of the active plane. @returns true for a REC exit */
export function serveDataAbort(entry: RecEntry, context: CpuContext, { esr, ipa, permission }: SyncExit): boolean {
  const target = dataAbortTarget(entry.realm, entry.rec.active, ipa, permission);
  switch (target) {
    case AbortTarget.Plane0:
      return exitPlane(entry, PlaneExitReason.Sync);
    case AbortTarget.Host:
    case AbortTarget.HostUnprotected: {
      const unprotected = target === AbortTarget.HostUnprotected;
      exitDataAbort(entry, { context, esr, far: faultAddress(entry), ipa, unprotected });
      return true;
    }
    case AbortTarget.Inject:
      injectExternalAbort(context, esr, faultAddress(entry));
      return false;
    case AbortTarget.None:
      return false;
  }
}

/** Serves an instruction abort of the active plane. @returns true for a REC exit */
export function serveInstructionAbort(
  entry: RecEntry,
  context: CpuContext,
  { esr, ipa, permission }: SyncExit,
): boolean {
  switch (instructionAbortTarget(entry.realm, entry.rec.active, ipa, permission)) {
    case AbortTarget.Plane0:
      return exitPlane(entry, PlaneExitReason.Sync);
    case AbortTarget.Host:
    case AbortTarget.HostUnprotected:
      exitInstructionAbort(entry, esr, ipa);
      return true;
    case AbortTarget.Inject:
      injectExternalAbort(context, esr, faultAddress(entry));
      return false;
    case AbortTarget.None:
      return false;
  }
}
