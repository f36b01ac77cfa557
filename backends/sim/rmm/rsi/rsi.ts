import { isPsciFunction } from '../abi/psci-fids.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { Rsi } from '../abi/rsi-fids.ts';
import { functionId, negotiate, SMCCC_NOT_SUPPORTED, SMCCC_VERSION, SMCCC_VERSION_1_2 } from '../abi/smccc.ts';
import { RsiStatus } from '../abi/status.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { hostCall } from './host-call.ts';
import { enterPlane } from './plane-enter.ts';
import { servePsci } from './psci.ts';
import { answer } from './rsi-answer.ts';
import {
  attestationTokenContinue,
  attestationTokenInit,
  measurementExtend,
  measurementRead,
} from './rsi-measurement.ts';
import { ipaStateGet, ipaStateSet, realmConfig } from './rsi-memory.ts';
import { memGetPermValue, memSetPermIndex, memSetPermValue } from './rsi-permissions.ts';
import { planeSysregRead, planeSysregWrite } from './rsi-sysreg.ts';
import type { SmcOutcome } from './smc-outcome.ts';

/** Serves an SMC of plane 0: RSI, PSCI and SMCCC_VERSION. @param registers X0 and following of plane 0 */
export function serveSmc(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const fid = functionId(registers.low(0));
  switch (fid) {
    case Rsi.PLANE_ENTER:
      return enterPlane(state, rec, registers);
    case Rsi.VERSION: {
      const { compatible, lower, higher } = negotiate(registers.get(1));
      return answer(registers, compatible ? RsiStatus.Success : RsiStatus.ErrorInput, lower, higher);
    }
    case Rsi.FEATURES:
      // Neither device assignment, "mostly read-only" permissions nor ATS.
      return answer(registers, RsiStatus.Success);
    case Rsi.MEASUREMENT_READ:
      return measurementRead(rec.realm, registers);
    case Rsi.MEASUREMENT_EXTEND:
      return measurementExtend(rec.realm, registers);
    case Rsi.ATTESTATION_TOKEN_INIT:
      return attestationTokenInit(registers);
    case Rsi.ATTESTATION_TOKEN_CONTINUE:
      return attestationTokenContinue(rec.realm, registers);
    case Rsi.REALM_CONFIG:
      return realmConfig(state, rec, registers);
    case Rsi.IPA_STATE_SET:
      return ipaStateSet(state, rec, registers);
    case Rsi.IPA_STATE_GET:
      return ipaStateGet(rec.realm, registers);
    case Rsi.HOST_CALL:
      return hostCall(state, rec, registers);
    case Rsi.MEM_GET_PERM_VALUE:
      return memGetPermValue(state, rec.realm, registers);
    case Rsi.MEM_SET_PERM_INDEX:
      return memSetPermIndex(state, rec, registers);
    case Rsi.MEM_SET_PERM_VALUE:
      return memSetPermValue(rec.realm, registers);
    case Rsi.PLANE_SYSREG_READ:
      return planeSysregRead(rec, registers);
    case Rsi.PLANE_SYSREG_WRITE:
      return planeSysregWrite(rec, registers);
    case SMCCC_VERSION:
      return answer(registers, SMCCC_VERSION_1_2);
    default:
      return isPsciFunction(fid) ? servePsci(state, rec, registers, fid) : answer(registers, SMCCC_NOT_SUPPORTED);
  }
}
