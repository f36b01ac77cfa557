import { isAccessibleSysreg } from '../abi/plane-sysregs.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import type { Rec } from '../rec/rec.ts';
import type { SmcOutcome } from '../rec/smc-outcome.ts';

/** Plane 0 cannot access its own registers this way, as in TF-RMM. */
function isAuxiliary(rec: Rec, plane: number): boolean {
  return plane >= 1 && plane < rec.realm.planeCount;
}

/** RSI_PLANE_SYSREG_READ: X1 is the lower half of the register; X2, for 128-bit registers, is always zero. */
export function planeSysregRead(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { rec } = entry;
  const plane = x.get(1);
  const encoding = x.get(2);
  if (!isAuxiliary(rec, plane) || !isAccessibleSysreg(encoding)) return entry.answer(RsiStatus.ErrorInput);
  const value = rec.context(plane).sysreg(encoding) ?? rec.plane(plane).shadow.get(encoding) ?? 0n;
  const outcome = entry.answer(RsiStatus.Success);
  x.setBig(1, value);
  return outcome;
}

/** RSI_PLANE_SYSREG_WRITE. */
export function planeSysregWrite(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { rec } = entry;
  const plane = x.get(1);
  const encoding = x.get(2);
  if (!isAuxiliary(rec, plane) || !isAccessibleSysreg(encoding)) return entry.answer(RsiStatus.ErrorInput);
  const value = x.big(3);
  if (!rec.context(plane).setSysreg(encoding, value)) rec.plane(plane).shadow.set(encoding, value);
  return entry.answer(RsiStatus.Success);
}
