import { type Command, CommandTable } from '../abi/command-table.ts';
import { Rmi, type RmiCommand } from '../abi/rmi-fids.ts';
import { functionId, negotiate, SMCCC_NOT_SUPPORTED } from '../abi/smccc.ts';
import { RmiStatus } from '../abi/status.ts';
import { FEATURE_REGISTER_0, Limits } from './features.ts';
import { recEnter } from './rec-enter.ts';
import type { RmiCall } from './rmi-call.ts';
import { dataCreate, dataCreateUnknown, dataDestroy } from './rmi-data.ts';
import { granuleDelegate, granuleUndelegate } from './rmi-granule.ts';
import { completePsci } from './rmi-psci.ts';
import { rttInitRipas, rttSetRipas, rttSetS2ap } from './rmi-ranges.ts';
import { realmActivate, realmCreate, realmDestroy } from './rmi-realm.ts';
import { recCreate, recDestroy } from './rmi-rec.ts';
import { rttCreate, rttDestroy, rttFold, rttMapUnprotected, rttReadEntry, rttUnmapUnprotected } from './rmi-rtt.ts';

/**
 * Serves one command.
 *
 * @param operands X1 to X5; -1 for values of 2^52 or more, which are not valid addresses, indices or counts
 * @returns X0
 */
type RmiHandler = (call: RmiCall, ...operands: number[]) => number;

/** A handler with one number parameter for each operand of its row. */
type HandlerOf<Names extends readonly string[]> = (
  call: RmiCall,
  ...operands: { [N in keyof Names]: number }
) => number;

function row<const Names extends readonly string[]>(
  name: RmiCommand,
  operands: Names,
  serve: HandlerOf<Names>,
): Command<RmiHandler> {
  // Safe: `serveRmi` passes as many operands as any command has.
  return { fid: Rmi[name], name, operands, serve: serve as RmiHandler };
}

/** The Realm Management Interface (RMM specification 1.1, B4.3). */
export const rmiCommands = new CommandTable<RmiHandler>([
  row('VERSION', ['req'], version),
  row('FEATURES', ['index'], features),
  row('GRANULE_DELEGATE', ['addr'], granuleDelegate),
  row('GRANULE_UNDELEGATE', ['addr'], granuleUndelegate),
  row('REALM_CREATE', ['rd', 'params_ptr'], realmCreate),
  row('REALM_ACTIVATE', ['rd'], realmActivate),
  row('REALM_DESTROY', ['rd'], realmDestroy),
  row('REC_AUX_COUNT', ['rd'], recAuxCount),
  row('REC_CREATE', ['rd', 'rec', 'params_ptr'], recCreate),
  row('REC_DESTROY', ['rec'], recDestroy),
  row('REC_ENTER', ['rec', 'run_ptr'], recEnter),
  row('PSCI_COMPLETE', ['calling_rec', 'target_rec', 'status'], completePsci),
  row('DATA_CREATE', ['rd', 'data', 'ipa', 'src', 'flags'], dataCreate),
  row('DATA_CREATE_UNKNOWN', ['rd', 'data', 'ipa'], dataCreateUnknown),
  row('DATA_DESTROY', ['rd', 'ipa'], dataDestroy),
  row('RTT_CREATE', ['rd', 'rtt', 'ipa', 'level'], rttCreate),
  row('RTT_DESTROY', ['rd', 'ipa', 'level'], rttDestroy),
  row('RTT_FOLD', ['rd', 'ipa', 'level'], rttFold),
  row('RTT_READ_ENTRY', ['rd', 'ipa', 'level'], rttReadEntry),
  row('RTT_MAP_UNPROTECTED', ['rd', 'ipa', 'level', 'desc'], rttMapUnprotected),
  row('RTT_UNMAP_UNPROTECTED', ['rd', 'ipa', 'level'], rttUnmapUnprotected),
  row('RTT_INIT_RIPAS', ['rd', 'base', 'top'], rttInitRipas),
  row('RTT_SET_RIPAS', ['rd', 'rec', 'base', 'top'], rttSetRipas),
  row('RTT_SET_S2AP', ['rd', 'rec', 'base', 'top'], rttSetS2ap),
  row('RTT_AUX_CREATE', ['rd', 'rtt', 'ipa', 'level', 'index'], noAuxiliaryTree),
  row('RTT_AUX_DESTROY', ['rd', 'ipa', 'level', 'index'], noAuxiliaryTree),
  row('RTT_AUX_FOLD', ['rd', 'ipa', 'level', 'index'], noAuxiliaryTree),
  row('RTT_AUX_MAP_PROTECTED', ['rd', 'ipa', 'index'], noAuxiliaryTree),
  row('RTT_AUX_MAP_UNPROTECTED', ['rd', 'ipa', 'index', 'desc'], noAuxiliaryTree),
  row('RTT_AUX_UNMAP_PROTECTED', ['rd', 'ipa', 'index'], noAuxiliaryTree),
  row('RTT_AUX_UNMAP_UNPROTECTED', ['rd', 'ipa', 'index'], noAuxiliaryTree),
]);

/** Result registers of SMCCC 1.2 that are used: X0 to X16. */
const RESULT_REGISTERS = 17;
/** Registers that TF-RMM writes for a command with few outputs; the others keep the caller's values. */
const TFRMM_RESULT_REGISTERS = 4;

/** Serves one call of the host: replaces function and arguments by results, and clears other registers (B2). */
export function serveRmi(call: RmiCall): void {
  const { out: x, state } = call;
  const fid = x.get(0);
  const command = fid >= 0 && fid <= 0xffff_ffff ? rmiCommands.find(functionId(fid)) : undefined;
  const a1 = x.get(1);
  const a2 = x.get(2);
  // The status of PSCI_COMPLETE may be negative: it is the only signed operand.
  const a3 = command?.fid === Rmi.PSCI_COMPLETE ? Number(BigInt.asIntN(64, x.big(3))) : x.get(3);
  const a4 = x.get(4);
  const a5 = x.get(5);
  const cleared = state.asTfRmm ? TFRMM_RESULT_REGISTERS : RESULT_REGISTERS;
  for (let n = 0; n < cleared; n++) x.set(n, 0);
  x.set(0, command === undefined ? SMCCC_NOT_SUPPORTED : command.serve(call, a1, a2, a3, a4, a5));
}

/** RMI_VERSION: X1 and X2 are the revisions to report. */
function version({ out }: RmiCall, requested: number): number {
  const { compatible, lower, higher } = negotiate(requested);
  out.set(1, lower);
  out.set(2, higher);
  return compatible ? RmiStatus.Success : RmiStatus.ErrorInput;
}

/** RMI_FEATURES: X1 is the register. */
function features({ out }: RmiCall, index: number): number {
  out.set(1, index === 0 ? FEATURE_REGISTER_0 : 0);
  return RmiStatus.Success;
}

/** RMI_REC_AUX_COUNT: X1 is the number of auxiliary granules. */
function recAuxCount({ out, state }: RmiCall, rd: number): number {
  if (state.realm(rd) === undefined) return RmiStatus.ErrorInput;
  out.set(1, Limits.recAuxCount);
  return RmiStatus.Success;
}

/** No realm has one tree for each plane, so there are no auxiliary trees. */
function noAuxiliaryTree(): number {
  return RmiStatus.ErrorInput;
}
