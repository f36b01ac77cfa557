import { PlaneExit } from '../abi/plane-run.ts';
import { SysregEncoding } from '../abi/plane-sysregs.ts';
import { RecExit } from '../abi/rec-run.ts';
import { copyDoubleword } from '../abi/register-file.ts';
import type { RecPlane } from './rec-plane.ts';
import type { Rec } from './rec.ts';

/** CNTx_CTL_EL0 bits. */
const ENABLE = 1n;
const IMASK = 2n;

interface Timer {
  readonly ctl: bigint;
  readonly cval: bigint;
}

/** Reports the EL1 timers of the active plane to the host (RMM specification 1.1, A6.2). */
export function reportTimers(rec: Rec, view: DataView, run: number): void {
  const active = rec.plane(rec.active);
  const owner = rec.plane(0);
  const physical = reported(timer(owner, 'CNTP'), rec.active === 0 ? undefined : timer(active, 'CNTP'));
  const virtual = reported(timer(owner, 'CNTV'), rec.active === 0 ? undefined : timer(active, 'CNTV'));
  store(view, run + RecExit.cntpCtl, physical);
  store(view, run + RecExit.cntvCtl, virtual);
}

/** Reports the timers of a plane that exits to plane 0. */
export function storePlaneTimers(plane: RecPlane, view: DataView, page: number): void {
  const { context, timers } = plane;
  if (context !== undefined && timers !== undefined) {
    const x0 = context.gprsOffset;
    copyDoubleword(view, page + PlaneExit.cntpCtl, x0 + timers.cntpCtl);
    copyDoubleword(view, page + PlaneExit.cntpCval, x0 + timers.cntpCval);
    copyDoubleword(view, page + PlaneExit.cntvCtl, x0 + timers.cntvCtl);
    copyDoubleword(view, page + PlaneExit.cntvCval, x0 + timers.cntvCval);
    return;
  }
  store(view, page + PlaneExit.cntpCtl, timer(plane, 'CNTP'));
  store(view, page + PlaneExit.cntvCtl, timer(plane, 'CNTV'));
}

/** @param offset of the control word, followed by the compare value, in zeroed memory */
function store(view: DataView, offset: number, { ctl, cval }: Timer): void {
  if (ctl !== 0n) view.setBigUint64(offset, ctl, true);
  if (cval !== 0n) view.setBigUint64(offset + 8, cval, true);
}

function timer(plane: RecPlane, name: 'CNTP' | 'CNTV'): Timer {
  return {
    ctl: register(plane, SysregEncoding[`${name}_CTL_EL0`]),
    cval: register(plane, SysregEncoding[`${name}_CVAL_EL0`]),
  };
}

function register(plane: RecPlane, encoding: number): bigint {
  return plane.context?.sysreg(encoding) ?? plane.shadow.get(encoding) ?? 0n;
}

function reported(owner: Timer, active: Timer | undefined): Timer {
  if (active === undefined || !isRunning(active)) return owner;
  return !isRunning(owner) || active.cval < owner.cval ? active : owner;
}

function isRunning(timer: Timer): boolean {
  return (timer.ctl & (ENABLE | IMASK)) === ENABLE;
}
