import { GRANULE_SIZE } from '../../machine/index.ts';
import { GPR_BYTES, PLANE_EXIT_OFFSET, PlaneExit } from '../abi/plane-run.ts';
import { copyDoubleword } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { Operand } from '../realm/operand.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { storePlaneTimers } from '../rec/timers.ts';
import { storeGic } from '../rec/vgic.ts';

const INSTRUCTION = 4;

/** Where the PC is when a plane exit is recorded. */
export const PcAt = {
  /** At the instruction, which is executed again. */
  Instruction: 0,
  /** At the instruction; but TF-RMM for RMM 1.1 advances the PC before it reports the exit: SMC, WFI, WFE. */
  Skip: 1,
  /** After the instruction already: HVC. */
  Behind: 2,
} as const;
export type PcAt = (typeof PcAt)[keyof typeof PcAt];

/**
 * Ends the run of the active plane: fills RsiPlaneExit and returns to plane 0.
 *
 * @returns true if that made a REC exit instead, because the host has unmapped the run page
 */
export function exitPlane(entry: RecEntry, reason: number, pc: PcAt = PcAt.Instruction): boolean {
  const { rec, state } = entry;
  const plane = rec.plane(rec.active);
  const context = rec.context(rec.active);
  const page = entry.operand(rec.runIpa);
  if (page === Operand.Unmapped) {
    if (pc === PcAt.Behind) context.pc = BigInt.asUintN(64, context.pc - BigInt(INSTRUCTION));
    return true;
  }
  if (pc === PcAt.Skip) context.advancePc(INSTRUCTION);
  if (rec.gicOwner !== 0) rec.plane(0).gic.set(plane.gic);
  rec.gicOwner = 0;
  rec.active = 0;
  if (page === Operand.Empty) {
    entry.answer(RsiStatus.ErrorInput);
  } else {
    const { u8, view } = state.memory.linear;
    const { el2 } = rec.vcpu;
    u8.fill(0, page + PLANE_EXIT_OFFSET, page + GRANULE_SIZE);
    view.setUint32(page + PlaneExit.reason, reason, true);
    copyDoubleword(view, page + PlaneExit.pc, context.pcOffset);
    copyDoubleword(view, page + PlaneExit.esr, el2.esr);
    copyDoubleword(view, page + PlaneExit.far, el2.far);
    copyDoubleword(view, page + PlaneExit.hpfar, el2.hpfar);
    view.setUint32(page + PlaneExit.pstate, context.pstate, true);
    u8.copyWithin(page + PlaneExit.gprs, context.gprsOffset, context.gprsOffset + GPR_BYTES);
    storeGic(plane.gic, view, page + PlaneExit.gicv3Hcr);
    storePlaneTimers(plane, view, page);
    state.cpu.wrote(page + PLANE_EXIT_OFFSET, GRANULE_SIZE - PLANE_EXIT_OFFSET);
    entry.answer(RsiStatus.Success);
  }
  rec.advancePlane0();
  return false;
}
