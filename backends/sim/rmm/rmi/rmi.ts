import type { RegisterFile } from '../abi/register-file.ts';
import { Rmi } from '../abi/rmi-fids.ts';
import { functionId, negotiate, SMCCC_NOT_SUPPORTED } from '../abi/smccc.ts';
import { RmiStatus } from '../abi/status.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { completePsci } from '../rsi/psci.ts';
import { FEATURE_REGISTER_0, Limits } from './features.ts';
import { recEnter } from './rec-enter.ts';
import { dataCreate, dataCreateUnknown, dataDestroy } from './rmi-data.ts';
import { granuleDelegate, granuleUndelegate } from './rmi-granule.ts';
import { rttInitRipas, rttSetRipas, rttSetS2ap } from './rmi-ranges.ts';
import { realmActivate, realmCreate, realmDestroy } from './rmi-realm.ts';
import { recCreate, recDestroy } from './rmi-rec.ts';
import { rttCreate, rttDestroy, rttFold, rttMapUnprotected, rttReadEntry, rttUnmapUnprotected } from './rmi-rtt.ts';

/** Registers that a result may have: X0 to X16. */
const RESULT_REGISTERS = 17;
/** Those that TF-RMM writes after a command that has no more outputs; the others keep what the caller passed. */
const TFRMM_RESULT_REGISTERS = 4;

/** Serves one call of the host: function and arguments in, results out, what is no result zero (RMM specification, B2). */
export function serveRmi(state: RmmState, x: RegisterFile): void {
  const fid = x.get(0);
  const a1 = x.get(1);
  const a2 = x.get(2);
  const a3 = x.get(3);
  const a4 = x.get(4);
  const a5 = x.get(5);
  // PSCI_COMPLETE takes a negative status: the only signed argument.
  const signed3 = fid >= 0 && functionId(fid) === Rmi.PSCI_COMPLETE ? Number(BigInt.asIntN(64, x.big(3))) : a3;
  const cleared = state.asTfRmm ? TFRMM_RESULT_REGISTERS : RESULT_REGISTERS;
  for (let n = 0; n < cleared; n++) x.set(n, 0);
  const known = fid >= 0 && fid <= 0xffff_ffff;
  x.set(0, known ? dispatch(state, functionId(fid), a1, a2, signed3, a4, a5, x) : SMCCC_NOT_SUPPORTED);
}

/** @returns X0; further results are in `out` */
function dispatch(
  state: RmmState,
  fid: number,
  a1: number,
  a2: number,
  a3: number,
  a4: number,
  a5: number,
  out: RegisterFile,
): number {
  switch (fid) {
    case Rmi.VERSION: {
      const { compatible, lower, higher } = negotiate(a1);
      out.set(1, lower);
      out.set(2, higher);
      return compatible ? RmiStatus.Success : RmiStatus.ErrorInput;
    }
    case Rmi.FEATURES:
      out.set(1, a1 === 0 ? FEATURE_REGISTER_0 : 0);
      return RmiStatus.Success;
    case Rmi.GRANULE_DELEGATE:
      return granuleDelegate(state, a1);
    case Rmi.GRANULE_UNDELEGATE:
      return granuleUndelegate(state, a1);
    case Rmi.REALM_CREATE:
      return realmCreate(state, a1, a2);
    case Rmi.REALM_ACTIVATE:
      return realmActivate(state, a1);
    case Rmi.REALM_DESTROY:
      return realmDestroy(state, a1);
    case Rmi.REC_AUX_COUNT:
      if (state.realm(a1) === undefined) return RmiStatus.ErrorInput;
      out.set(1, Limits.recAuxCount);
      return RmiStatus.Success;
    case Rmi.REC_CREATE:
      return recCreate(state, a1, a2, a3);
    case Rmi.REC_DESTROY:
      return recDestroy(state, a1);
    case Rmi.REC_ENTER:
      return recEnter(state, a1, a2);
    case Rmi.PSCI_COMPLETE:
      return completePsci(state, a1, a2, a3);
    case Rmi.DATA_CREATE:
      return dataCreate(state, a1, a2, a3, a4, a5);
    case Rmi.DATA_CREATE_UNKNOWN:
      return dataCreateUnknown(state, a1, a2, a3);
    case Rmi.DATA_DESTROY:
      return dataDestroy(state, a1, a2, out);
    case Rmi.RTT_CREATE:
      return rttCreate(state, a1, a2, a3, a4);
    case Rmi.RTT_DESTROY:
      return rttDestroy(state, a1, a2, a3, out);
    case Rmi.RTT_FOLD:
      return rttFold(state, a1, a2, a3, out);
    case Rmi.RTT_READ_ENTRY:
      return rttReadEntry(state, a1, a2, a3, out);
    case Rmi.RTT_MAP_UNPROTECTED:
      return rttMapUnprotected(state, a1, a2, a3, a4);
    case Rmi.RTT_UNMAP_UNPROTECTED:
      return rttUnmapUnprotected(state, a1, a2, a3, out);
    case Rmi.RTT_INIT_RIPAS:
      return rttInitRipas(state, a1, a2, a3, out);
    case Rmi.RTT_SET_RIPAS:
      return rttSetRipas(state, a1, a2, a3, a4, out);
    case Rmi.RTT_SET_S2AP:
      return rttSetS2ap(state, a1, a2, a3, a4, out);
    case Rmi.RTT_AUX_CREATE:
    case Rmi.RTT_AUX_DESTROY:
    case Rmi.RTT_AUX_FOLD:
    case Rmi.RTT_AUX_MAP_PROTECTED:
    case Rmi.RTT_AUX_MAP_UNPROTECTED:
    case Rmi.RTT_AUX_UNMAP_PROTECTED:
    case Rmi.RTT_AUX_UNMAP_UNPROTECTED:
      // No realm has a tree for each plane, so that there is no auxiliary tree to name.
      return RmiStatus.ErrorInput;
    default:
      return SMCCC_NOT_SUPPORTED;
  }
}
