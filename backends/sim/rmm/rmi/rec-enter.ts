import { PlaneExitReason } from '../abi/plane-run.ts';
import { RecEnter, RecEnterFlag } from '../abi/rec-run.ts';
import { Response, Ripas, rmiResult, RmiStatus, RsiStatus } from '../abi/status.ts';
import { RealmState } from '../realm/realm.ts';
import { completeMmio, injectExternalAbort } from '../rec/aborts.ts';
import { RecEntry } from '../rec/rec-entry.ts';
import type { RangeRequest } from '../rec/rec.ts';
import { hasPendingInterrupt, isValidGicInput, loadGic } from '../rec/vgic.ts';
import { completeHostCall } from '../rsi/host-call.ts';
import { exitPlane } from '../run/plane-exit.ts';
import { runRec } from '../run/run-rec.ts';
import type { RmiCall } from './rmi-call.ts';

/** RMI_REC_ENTER (RMM specification 1.1, B4.3), in the order of TF-RMM. @returns X0 */
export function recEnter({ state }: RmiCall, recPa: number, runPa: number): number {
  if (!state.granules.isNormal(runPa)) return RmiStatus.ErrorInput;
  const rec = state.rec(recPa);
  if (rec === undefined) return RmiStatus.ErrorInput;
  if (rec.running) return RmiStatus.ErrorRec;
  if (rec.realm.state !== RealmState.Active) {
    return rmiResult(RmiStatus.ErrorRealm, rec.realm.state === RealmState.New ? 0 : 1);
  }
  if (!rec.runnable || rec.psci !== undefined) return RmiStatus.ErrorRec;
  const { view } = state;
  const run = state.memory.offsetOf(runPa);
  const flags = view.getUint32(run + RecEnter.flags, true);
  if (!isValidGicInput(view, run + RecEnter.gicv3Hcr)) return RmiStatus.ErrorRec;
  const abort = rec.lastAbort;
  if ((flags & RecEnterFlag.injectSea) !== 0 && abort?.unprotected !== true) return RmiStatus.ErrorRec;
  if ((flags & RecEnterFlag.emulMmio) !== 0 && abort?.emulatable !== true) return RmiStatus.ErrorRec;

  const entry = new RecEntry(state, rec, run, flags);
  rec.running = true;
  try {
    rec.begin(state.cpu);
    if (complete(entry)) runRec(entry);
  } finally {
    rec.running = false;
  }
  return RmiStatus.Success;
}

/**
 * Passes the host's answer to the last exit to the realm.
 *
 * @returns false if that caused another REC exit
 */
function complete(entry: RecEntry): boolean {
  const { rec, run, flags, view } = entry;
  const abort = rec.lastAbort;
  rec.lastAbort = undefined;
  const injectSea = (flags & RecEnterFlag.injectSea) !== 0;
  const context = rec.plane(rec.active).context;
  if (abort !== undefined && context !== undefined) {
    // The abort of an auxiliary plane goes to plane 0; TF-RMM also injects it into the plane.
    if (injectSea && (rec.active === 0 || entry.state.asTfRmm)) injectExternalAbort(context, abort.esr, abort.far);
    else if (!injectSea && (flags & RecEnterFlag.emulMmio) !== 0) {
      completeMmio(context, abort.esr, view.getBigUint64(run + RecEnter.gprs, true));
    }
  }
  loadGic(rec.plane(rec.gicOwner).gic, view, run + RecEnter.gicv3Hcr);
  if (!completeHostCall(entry)) return false;
  if (rec.active !== 0) return !leavePlane(entry, injectSea);
  completeRipas(entry);
  completeS2ap(entry);
  return true;
}

/** Checks for reasons to return to plane 0 when an auxiliary plane is entered. @returns true if that made a REC exit */
function leavePlane(entry: RecEntry, injectSea: boolean): boolean {
  const { rec, flags } = entry;
  if (injectSea) return exitPlane(entry, PlaneExitReason.Sync);
  if (rec.gicOwner === 0 && hasPendingInterrupt(rec.plane(0).gic)) return exitPlane(entry, PlaneExitReason.Irq);
  if ((flags & RecEnterFlag.forceP0) !== 0) return exitPlane(entry, PlaneExitReason.Host);
  return false;
}

function completeRipas(entry: RecEntry): void {
  const { rec } = entry;
  const request = rec.ripas;
  if (request === undefined) return;
  rec.ripas = undefined;
  const rejected = request.value === Ripas.Ram && isRejected(entry, request, RecEnterFlag.ripasReject);
  entry.answer(RsiStatus.Success, request.addr, rejected ? Response.Reject : Response.Accept);
}

function completeS2ap(entry: RecEntry): void {
  const { rec } = entry;
  const request = rec.s2ap;
  if (request === undefined) return;
  rec.s2ap = undefined;
  const rejected = isRejected(entry, request, RecEnterFlag.s2apReject);
  if (!rejected) rec.realm.overlay.lock(request.value);
  entry.answer(RsiStatus.Success, request.addr, rejected ? Response.Reject : Response.Accept);
}

/** A host that did all that was requested has not rejected it. */
function isRejected({ flags }: RecEntry, request: RangeRequest, flag: number): boolean {
  return request.addr !== request.top && (flags & flag) !== 0;
}
