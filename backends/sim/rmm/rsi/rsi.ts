import { type Command, CommandTable } from '../abi/command-table.ts';
import { isPsciFunction } from '../abi/psci-fids.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { Rsi } from '../abi/rsi-fids.ts';
import { functionId, negotiate, SMCCC_NOT_SUPPORTED, SMCCC_VERSION, SMCCC_VERSION_1_2 } from '../abi/smccc.ts';
import { RsiStatus } from '../abi/status.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import type { SmcOutcome } from '../rec/smc-outcome.ts';
import { hostCall } from './host-call.ts';
import { enterPlane } from './plane-enter.ts';
import { servePsci } from './psci.ts';
import {
  attestationTokenContinue,
  attestationTokenInit,
  measurementExtend,
  measurementRead,
} from './rsi-measurement.ts';
import { ipaStateGet, ipaStateSet, realmConfig } from './rsi-memory.ts';
import { memGetPermValue, memSetPermIndex, memSetPermValue } from './rsi-permissions.ts';
import { planeSysregRead, planeSysregWrite } from './rsi-sysreg.ts';

/** Serves one command. @param x registers of the plane that made the SMC, from X0 on */
type RsiHandler = (entry: RecEntry, x: RegisterFile) => SmcOutcome;

function row(name: keyof typeof Rsi, operands: readonly string[], serve: RsiHandler): Command<RsiHandler> {
  return { fid: Rsi[name], name, operands, serve };
}

/** The Realm Services Interface (RMM specification 1.1, B5.3). */
export const rsiCommands = new CommandTable<RsiHandler>([
  row('VERSION', ['req'], version),
  row('FEATURES', ['index'], features),
  row('MEASUREMENT_READ', ['index'], measurementRead),
  row('MEASUREMENT_EXTEND', ['index', 'size', 'value_0', '…', 'value_7'], measurementExtend),
  row('ATTESTATION_TOKEN_INIT', ['challenge_0', '…', 'challenge_7'], attestationTokenInit),
  row('ATTESTATION_TOKEN_CONTINUE', ['addr', 'offset', 'size'], attestationTokenContinue),
  row('REALM_CONFIG', ['addr'], realmConfig),
  row('IPA_STATE_SET', ['base', 'top', 'ripas', 'flags'], ipaStateSet),
  row('IPA_STATE_GET', ['base', 'top'], ipaStateGet),
  row('HOST_CALL', ['addr'], hostCall),
  row('MEM_GET_PERM_VALUE', ['plane_idx', 'perm_idx'], memGetPermValue),
  row('MEM_SET_PERM_INDEX', ['base', 'top', 'perm_idx', 'cookie'], memSetPermIndex),
  row('MEM_SET_PERM_VALUE', ['plane_idx', 'perm_idx', 'value'], memSetPermValue),
  row('PLANE_ENTER', ['plane_idx', 'run_ptr'], enterPlane),
  row('PLANE_SYSREG_READ', ['plane_idx', 'encoding'], planeSysregRead),
  row('PLANE_SYSREG_WRITE', ['plane_idx', 'encoding', 'value'], planeSysregWrite),
]);

/** Serves an SMC of plane 0: RSI, PSCI and SMCCC_VERSION. */
export function serveSmc(entry: RecEntry): SmcOutcome {
  const x = entry.registers;
  const fid = functionId(x.low(0));
  const command = rsiCommands.find(fid);
  if (command !== undefined) return command.serve(entry, x);
  if (fid === SMCCC_VERSION) return entry.answer(SMCCC_VERSION_1_2);
  return isPsciFunction(fid) ? servePsci(entry, x, fid) : entry.answer(SMCCC_NOT_SUPPORTED);
}

/** RSI_VERSION. */
function version(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { compatible, lower, higher } = negotiate(x.get(1));
  return entry.answer(compatible ? RsiStatus.Success : RsiStatus.ErrorInput, lower, higher);
}

/** RSI_FEATURES: no device assignment, "mostly read-only" permissions or ATS. */
function features(entry: RecEntry): SmcOutcome {
  return entry.answer(RsiStatus.Success);
}
