import { affinityOfRecMpidr, indexOfRecMpidr } from '../abi/mpidr.ts';
import { REC_PARAMS_GPRS, REC_RUNNABLE, RecParams } from '../abi/rec-params.ts';
import { readNumber } from '../abi/register-file.ts';
import { RmiStatus } from '../abi/status.ts';
import { GranuleState } from '../realm/granule.ts';
import { RealmState } from '../realm/realm.ts';
import { Rec } from '../rec/rec.ts';
import { RESET_SCTLR } from '../rec/reset-state.ts';
import { Limits } from './features.ts';
import type { RmiCall } from './rmi-call.ts';

/** RMI_REC_CREATE. */
export function recCreate({ state }: RmiCall, rd: number, recPa: number, params: number): number {
  const { granules, view } = state;
  if (!granules.isNormal(params)) return RmiStatus.ErrorInput;
  const realm = state.realm(rd);
  if (realm === undefined || !state.isDelegated(recPa)) return RmiStatus.ErrorInput;
  if (realm.state !== RealmState.New) return RmiStatus.ErrorRealm;
  const index = state.recsOf(realm).length;
  if (index === 2 ** Limits.maxRecsOrder - 1) return RmiStatus.ErrorRealm;

  const at = state.memory.offsetOf(params);
  const flags = readNumber(view, at + RecParams.flags);
  const mpidr = readNumber(view, at + RecParams.mpidr);
  if (flags < 0 || flags > REC_RUNNABLE || indexOfRecMpidr(mpidr) !== index) return RmiStatus.ErrorInput;
  // TF-RMM truncates the count to 32 bits.
  const numAux = state.asTfRmm ? view.getUint32(at + RecParams.numAux, true) : readNumber(view, at + RecParams.numAux);
  if (numAux !== Limits.recAuxCount) return RmiStatus.ErrorInput;
  const aux = Array.from({ length: Limits.recAuxCount }, (_, n) => readNumber(view, at + RecParams.aux + n * 8));
  if (new Set([recPa, ...aux]).size !== aux.length + 1) return RmiStatus.ErrorInput;
  if (!aux.every((pa) => state.isDelegated(pa))) return RmiStatus.ErrorInput;
  // A machine has no more processors than this, whatever the limit of each realm.
  const slot = state.vcpus.acquire(affinityOfRecMpidr(mpidr));
  if (slot === undefined) return RmiStatus.ErrorRealm;

  const runnable = flags === REC_RUNNABLE;
  const rec = new Rec(recPa, realm, index, aux, slot, runnable);
  const gprs = Array.from({ length: REC_PARAMS_GPRS }, (_, n) => view.getBigUint64(at + RecParams.gprs + n * 8, true));
  rec.setEntry({ pc: view.getBigUint64(at + RecParams.pc, true), gprs, sctlr: RESET_SCTLR });
  if (runnable) realm.measurements.extendRec(state.page(params));
  state.addRec(rec);
  granules.set(recPa, GranuleState.Rec);
  for (const pa of aux) granules.set(pa, GranuleState.RecAux);
  return RmiStatus.Success;
}

/** RMI_REC_DESTROY. */
export function recDestroy({ state }: RmiCall, recPa: number): number {
  const rec = state.rec(recPa);
  if (rec === undefined) return RmiStatus.ErrorInput;
  if (rec.running) return RmiStatus.ErrorRec;
  state.removeRec(rec);
  state.vcpus.release(rec.slot);
  for (const pa of [recPa, ...rec.aux]) state.granules.set(pa, GranuleState.Delegated);
  return RmiStatus.Success;
}
