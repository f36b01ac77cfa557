import { Esr } from '../../../../petri/kit/arm/index.ts';
import type { CpuContext } from '../../cpu/index.ts';
import { RecEnterFlag, RecExit, RecExitReason } from '../abi/rec-run.ts';
import type { RecEntry } from '../rec/rec-entry.ts';

const INSTRUCTION = 4;
/** ISS of a trapped WFI or WFE: the lower bit of TI, set for WFE. */
const WFX_TI = 1;

export function isWfe(esr: number): boolean {
  return (esr & WFX_TI) !== 0;
}

/** WFI or WFE: exits to the host if enter.flags ask for it. @returns true for a REC exit */
export function exitWfx(entry: RecEntry, context: CpuContext, esr: number): boolean {
  context.advancePc(INSTRUCTION);
  const flag = isWfe(esr) ? RecEnterFlag.trapWfe : RecEnterFlag.trapWfi;
  if ((entry.flags & flag) === 0) return false;
  entry.exit(RecExitReason.Sync);
  entry.report(RecExit.esr, (esr & (Esr.EC | WFX_TI)) >>> 0);
  return true;
}
