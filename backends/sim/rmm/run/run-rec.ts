import { RunExit } from '../../cpu/index.ts';
import { completeWait } from '../../machine/index.ts';
import { PlaneEnterFlag } from '../abi/plane-run.ts';
import type { Plane0Step } from '../abi/plane0.ts';
import { RecEnterFlag, RecExitReason } from '../abi/rec-run.ts';
import { AbortTarget, dataAbortTarget } from '../realm/abort-target.ts';
import { exitDataAbort, programAbortEsr } from '../rec/aborts.ts';
import type { Plane0Run } from '../rec/plane0-run.ts';
import { CALL_COST, type RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';
import { serveSmc } from '../rsi/rsi.ts';
import { serveAuxiliaryPlane } from './auxiliary-plane.ts';
import { servePlane0 } from './plane0-guest.ts';

/** Runs a REC until it exits; the exit is recorded in its run page. */
export function runRec(entry: RecEntry): void {
  const { state, rec } = entry;
  state.budget = state.slice;
  for (;;) {
    if (state.budget <= 0) {
      entry.exit(RecExitReason.Irq);
      return;
    }
    const { program } = rec;
    const left = rec.active === 0 && program !== undefined ? stepProgram(entry, program) : runGuest(entry);
    if (left) return;
  }
}

/** Executes one step of a plane 0 program. @returns true for a REC exit */
function stepProgram(entry: RecEntry, program: Plane0Run): boolean {
  const step = program.step();
  entry.charge(CALL_COST);
  switch (step.kind) {
    case 'smc': {
      const outcome = serveSmc(entry);
      if (outcome === SmcOutcome.Resume || outcome === SmcOutcome.Exit) program.completeStep();
      return outcome === SmcOutcome.Exit || outcome === SmcOutcome.Retry;
    }
    case 'access':
      return stepAccess(entry, program, step);
    case 'park':
      entry.state.budget = 0;
      return false;
  }
}

/**
 * Makes the stage 2 abort that guest code would take. An abort that would be injected at EL1 has no equivalent for a
 * program, which continues and finds the page still missing.
 */
function stepAccess(entry: RecEntry, program: Plane0Run, { ipa, write }: Plane0Step & { kind: 'access' }): boolean {
  const target = ipa >= 0 ? dataAbortTarget(entry.realm, 0, ipa, false) : AbortTarget.Inject;
  program.completeStep();
  if (target !== AbortTarget.Host && target !== AbortTarget.HostUnprotected) return false;
  const esr = programAbortEsr(write, entry.realm.rtt.level);
  const unprotected = target === AbortTarget.HostUnprotected;
  exitDataAbort(entry, { context: undefined, esr, far: BigInt(ipa), ipa, unprotected });
  return true;
}

/** Runs the active plane on the CPU until it traps. @returns true for a REC exit */
function runGuest(entry: RecEntry): boolean {
  const { state, rec, flags } = entry;
  const { active, vcpu } = rec;
  const context = rec.context(active);
  vcpu.activate(context);
  const { traps } = context;
  const planeFlags = active === 0 ? 0 : rec.planeFlags;
  traps.wfi = (flags & RecEnterFlag.trapWfi) !== 0 || (planeFlags & PlaneEnterFlag.trapWfi) !== 0;
  traps.wfe = (flags & RecEnterFlag.trapWfe) !== 0 || (planeFlags & PlaneEnterFlag.trapWfe) !== 0;
  traps.simd = (planeFlags & PlaneEnterFlag.trapSimd) !== 0;

  const before = vcpu.effort;
  const reason = vcpu.run(state.budget);
  entry.charge(vcpu.effort - before);
  if (reason === RunExit.Budget) {
    state.budget = 0;
    return false;
  }
  if (reason === RunExit.Wait) {
    completeWait(state.cpu.clock, vcpu);
    return false;
  }
  entry.charge(CALL_COST);
  const { exit } = vcpu;
  return active === 0 ? servePlane0(entry, context, exit) : serveAuxiliaryPlane(entry, context, exit);
}
