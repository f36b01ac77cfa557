import { GPR_COUNT, PlaneEnter, PlaneEnterFlag } from '../abi/plane-run.ts';
import { copyDoubleword, RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { Operand, operandOffset } from '../realm/operand.ts';
import { exitImitatedAbort } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { loadGic } from '../rec/vgic.ts';
import { answer } from './rsi-answer.ts';
import { SmcOutcome } from './smc-outcome.ts';

const GPR_BYTES = GPR_COUNT * 8;
const PAGE = 4096;

/** PSTATE.M of the only states that a plane may be entered in: EL0t, EL1t, EL1h. */
function isEnterable(pstate: number): boolean {
  const mode = pstate & 0x1f;
  return mode === 0 || mode === 4 || mode === 5;
}

/** RSI_PLANE_ENTER (RMM specification 1.1, B5.3). */
export function enterPlane(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const { realm } = rec;
  const index = registers.get(1);
  const runIpa = registers.get(2);
  const valid = index >= 1 && index < realm.planeCount && runIpa >= 0 && runIpa < realm.rtt.parTop;
  if (!valid || runIpa % PAGE !== 0) return answer(registers, RsiStatus.ErrorInput);
  const page = operandOffset(realm, runIpa);
  if (page === Operand.Empty) return answer(registers, RsiStatus.ErrorInput);
  if (page === Operand.Unmapped) {
    exitImitatedAbort(state, rec, runIpa, realm.rtt.level);
    return SmcOutcome.Retry;
  }
  const { u8, view } = state.memory.linear;
  const pstate = view.getUint32(page + PlaneEnter.pstate, true);
  if (!isEnterable(pstate)) return answer(registers, RsiStatus.ErrorInput);

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
