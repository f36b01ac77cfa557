import { ExceptionClass } from '../../cpu/index.ts';
import { REC_EXIT_OFFSET, RecExit, type RecExitReason, RecExitReason as Reason } from '../abi/rec-run.ts';
import { writeNumber } from '../abi/register-file.ts';
import type { Rec } from './rec.ts';
import type { RmmState } from './rmm-state.ts';
import { reportTimers } from './timers.ts';
import { storeGic } from './vgic.ts';

const GRANULE = 4096;

/** Begins a REC exit: everything is zero but the reason, GIC and timers. @returns offset of the run page, for the rest */
export function exitRec(state: RmmState, rec: Rec, reason: RecExitReason): number {
  const { run } = rec;
  const { u8, view } = state.memory.linear;
  u8.fill(0, run + REC_EXIT_OFFSET, run + GRANULE);
  view.setUint8(run + RecExit.reason, reason);
  storeGic(rec.plane(rec.gicOwner).gic, view, run + RecExit.gicv3Hcr);
  reportTimers(rec, view, run);
  return run;
}

/** HPFAR_EL2 for an IPA: its page number from bit 4 on. */
export function hpfar(ipa: number): number {
  return Math.floor(ipa / GRANULE) * 16;
}

/** A REC exit that looks like a data abort at an IPA which an RSI command names and the host has not mapped. */
export function exitImitatedAbort(state: RmmState, rec: Rec, ipa: number, level: number): void {
  const run = exitRec(state, rec, Reason.Sync);
  const esr = ExceptionClass.DataAbortLower * 2 ** 26 + 0x04 + level;
  writeNumber(state.view, run + RecExit.esr, esr);
  writeNumber(state.view, run + RecExit.hpfar, hpfar(ipa));
}
