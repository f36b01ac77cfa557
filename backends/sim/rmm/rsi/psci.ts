import { indexOfTarget } from '../abi/mpidr.ts';
import { Affinity, Psci, PsciStatus } from '../abi/psci-fids.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { SMCCC_NOT_SUPPORTED, SMCCC_VERSION } from '../abi/smccc.ts';
import { RealmState } from '../realm/realm.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';

const PSCI_VERSION_1_1 = 0x1_0001;
const SUPPORTED: ReadonlySet<number> = new Set([...Object.values(Psci), SMCCC_VERSION]);

/** Serves a PSCI call of plane 0 (RMM specification 1.0, B6). */
export function servePsci(entry: RecEntry, x: RegisterFile, fid: number): SmcOutcome {
  const { rec, state } = entry;
  switch (fid) {
    case Psci.VERSION:
      return entry.answer(PSCI_VERSION_1_1);
    case Psci.FEATURES:
      return entry.answer(isSupported(state, x.low(1)) ? PsciStatus.Success : PsciStatus.NotSupported);
    case Psci.CPU_SUSPEND:
    case Psci.CPU_SUSPEND64:
      exitPsci(entry, fid);
      entry.answer(PsciStatus.Success);
      return SmcOutcome.Exit;
    case Psci.CPU_OFF:
      rec.runnable = false;
      exitPsci(entry, fid);
      return SmcOutcome.Exit;
    case Psci.CPU_ON:
    case Psci.CPU_ON64:
      return cpuOn(entry, x, fid);
    case Psci.AFFINITY_INFO:
    case Psci.AFFINITY_INFO64:
      return affinityInfo(entry, x, fid);
    case Psci.SYSTEM_OFF:
    case Psci.SYSTEM_RESET:
      rec.realm.state = RealmState.SystemOff;
      exitPsci(entry, fid);
      return SmcOutcome.Exit;
    default:
      return entry.answer(SMCCC_NOT_SUPPORTED);
  }
}

/** TF-RMM does not report PSCI_VERSION as a supported function. */
function isSupported(state: RmmState, fid: number): boolean {
  return SUPPORTED.has(fid) && !(state.asTfRmm && fid === Psci.VERSION);
}

function exitPsci(entry: RecEntry, fid: number, target?: Rec): void {
  entry.exit(RecExitReason.Psci);
  entry.report(RecExit.gprs, fid);
  if (target !== undefined) entry.report(RecExit.gprs + 8, target.slot.mpidr);
}

/** The REC that X1 of a call specifies. */
function targetOf({ state, realm }: RecEntry, x: RegisterFile): Rec | undefined {
  const index = indexOfTarget(x.low(1), x.high(1), state.asTfRmm);
  return index < 0 ? undefined : state.recsOf(realm)[index];
}

function cpuOn(entry: RecEntry, x: RegisterFile, fid: number): SmcOutcome {
  const { rec } = entry;
  const pc = x.get(2);
  if (pc < 0 || pc >= entry.realm.rtt.parTop) return entry.answer(PsciStatus.InvalidAddress);
  const target = targetOf(entry, x);
  if (target === undefined) return entry.answer(PsciStatus.InvalidParameters);
  if (target === rec) return entry.answer(PsciStatus.AlreadyOn);
  exitPsci(entry, fid, target);
  rec.psci = { isCpuOn: true, target: target.index, entry: x.big(2), contextId: x.big(3) };
  return SmcOutcome.Exit;
}

function affinityInfo(entry: RecEntry, x: RegisterFile, fid: number): SmcOutcome {
  const { rec } = entry;
  const target = targetOf(entry, x);
  if (x.get(2) !== 0 || target === undefined) return entry.answer(PsciStatus.InvalidParameters);
  if (target === rec) return entry.answer(Affinity.On);
  exitPsci(entry, fid, target);
  rec.psci = { isCpuOn: false, target: target.index, entry: 0n, contextId: 0n };
  return SmcOutcome.Exit;
}
