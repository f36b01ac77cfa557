import { GRANULE_SIZE } from '../../machine/index.ts';
import { GPR_BYTES, PlaneEnter, PlaneEnterFlag } from '../abi/plane-run.ts';
import { copyDoubleword, type RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { Operand } from '../realm/operand.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';
import { loadGic } from '../rec/vgic.ts';

/** Whether a plane may be entered with this PSTATE.M: EL0t, EL1t, EL1h. */
function isEnterable(pstate: number): boolean {
  const mode = pstate & 0x1f;
  return mode === 0 || mode === 4 || mode === 5;
}

/** RSI_PLANE_ENTER (RMM specification 1.1, B5.3). */
export function enterPlane(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { rec, realm } = entry;
  const index = x.get(1);
  const runIpa = x.get(2);
  const valid = index >= 1 && index < realm.planeCount && runIpa >= 0 && runIpa < realm.rtt.parTop;
  if (!valid || runIpa % GRANULE_SIZE !== 0) return entry.answer(RsiStatus.ErrorInput);
  const page = entry.operand(runIpa);
  if (page === Operand.Empty) return entry.answer(RsiStatus.ErrorInput);
  if (page === Operand.Unmapped) return SmcOutcome.Retry;
  const { u8, view } = entry.state.memory.linear;
  const pstate = view.getUint32(page + PlaneEnter.pstate, true);
  if (!isEnterable(pstate)) return entry.answer(RsiStatus.ErrorInput);

  const context = rec.context(index);
  rec.vcpu.activate(context);
  u8.copyWithin(context.gprsOffset, page + PlaneEnter.gprs, page + PlaneEnter.gprs + GPR_BYTES);
  copyDoubleword(view, context.pcOffset, page + PlaneEnter.pc);
  context.pstate = pstate;
  const flags = view.getUint32(page + PlaneEnter.flags, true);
  const { gic } = rec.plane(index);
  if ((flags & PlaneEnterFlag.gicOwner) !== 0) {
    gic.set(rec.plane(0).gic);
    rec.gicOwner = index;
  } else {
    loadGic(gic, view, page + PlaneEnter.gicv3Hcr);
  }
  rec.active = index;
  rec.runIpa = runIpa;
  rec.planeFlags = flags;
  return SmcOutcome.Plane;
}
