import { RunExit } from '../../cpu/index.ts';
import { PlaneEnterFlag } from '../abi/plane-run.ts';
import type { Plane0Step } from '../abi/plane0.ts';
import { RecEnterFlag, RecExitReason } from '../abi/rec-run.ts';
import { AbortTarget, dataAbortTarget, exitDataAbort, programAbortEsr } from '../rec/aborts.ts';
import type { Plane0Run } from '../rec/plane0-run.ts';
import { exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import { CALL_COST, type RmmState } from '../rec/rmm-state.ts';
import { serveSmc } from '../rsi/rsi.ts';
import { SmcOutcome } from '../rsi/smc-outcome.ts';
import { serveAuxiliaryPlane } from './auxiliary-plane.ts';
import { servePlane0 } from './plane0-guest.ts';

/** Runs a REC until it exits: the exit is in its run page. */
export function runRec(state: RmmState, rec: Rec): void {
  state.budget = state.slice;
  for (;;) {
    if (state.budget <= 0) {
      exitRec(state, rec, RecExitReason.Irq);
      return;
    }
    const { program } = rec;
    const left = rec.active === 0 && program !== undefined ? stepProgram(state, rec, program) : runGuest(state, rec);
    if (left) return;
  }
}

/** Lets a plane 0 program do one step. @returns true for a REC exit */
function stepProgram(state: RmmState, rec: Rec, program: Plane0Run): boolean {
  const step = program.step();
  state.budget -= CALL_COST;
  switch (step.kind) {
    case 'smc': {
      const outcome = serveSmc(state, rec, rec.registers);
      if (outcome === SmcOutcome.Resume || outcome === SmcOutcome.Exit) program.completeStep();
      return outcome === SmcOutcome.Exit || outcome === SmcOutcome.Retry;
    }
    case 'access':
      return stepAccess(state, rec, program, step);
    case 'park':
      state.budget = 0;
      return false;
  }
}

/**
 * The stage-2 abort that guest code would take. One that would end in an exception at EL1 has no counterpart in a program:
 * it goes on, and finds the page as it was.
 */
function stepAccess(
  state: RmmState,
  rec: Rec,
  program: Plane0Run,
  { ipa, write }: Plane0Step & { kind: 'access' },
): boolean {
  const target = ipa >= 0 ? dataAbortTarget(rec.realm, 0, ipa, false) : AbortTarget.Inject;
  program.completeStep();
  if (target !== AbortTarget.Host && target !== AbortTarget.HostUnprotected) return false;
  const esr = programAbortEsr(write, rec.realm.rtt.level);
  exitDataAbort(state, rec, undefined, esr, BigInt(ipa), ipa, target === AbortTarget.HostUnprotected);
  return true;
}

/** Runs the active plane on the CPU until it traps. @returns true for a REC exit */
function runGuest(state: RmmState, rec: Rec): boolean {
  const { active, vcpu, enterFlags } = rec;
  const context = rec.context(active);
  vcpu.activate(context);
  const { traps } = context;
  const planeFlags = active === 0 ? 0 : rec.planeFlags;
  traps.wfi = (enterFlags & RecEnterFlag.trapWfi) !== 0 || (planeFlags & PlaneEnterFlag.trapWfi) !== 0;
  traps.wfe = (enterFlags & RecEnterFlag.trapWfe) !== 0 || (planeFlags & PlaneEnterFlag.trapWfe) !== 0;
  traps.simd = (planeFlags & PlaneEnterFlag.trapSimd) !== 0;

  const before = vcpu.effort;
  const reason = vcpu.run(state.budget);
  state.budget -= vcpu.effort - before;
  if (reason === RunExit.Budget) {
    state.budget = 0;
    return false;
  }
  if (reason === RunExit.Unsupported) {
    rec.unsupported = vcpu.unsupported;
    exitRec(state, rec, RecExitReason.Sync);
    return true;
  }
  state.budget -= CALL_COST;
  const { exit } = vcpu;
  return active === 0 ? servePlane0(state, rec, context, exit) : serveAuxiliaryPlane(state, rec, context, exit);
}
