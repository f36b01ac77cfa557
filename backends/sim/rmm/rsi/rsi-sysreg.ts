import { isAccessibleSysreg } from '../abi/plane-sysregs.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import type { Rec } from '../rec/rec.ts';
import { answer } from './rsi-answer.ts';
import type { SmcOutcome } from './smc-outcome.ts';

/** Plane 0's own registers are not accessible so, as in TF-RMM. */
function isAuxiliary(rec: Rec, plane: number): boolean {
  return plane >= 1 && plane < rec.realm.planeCount;
}

/** RSI_PLANE_SYSREG_READ: X1 is the lower half of the register, X2 the upper one, which none here has. */
export function planeSysregRead(rec: Rec, registers: RegisterFile): SmcOutcome {
  const plane = registers.get(1);
  const encoding = registers.get(2);
  if (!isAuxiliary(rec, plane) || !isAccessibleSysreg(encoding)) return answer(registers, RsiStatus.ErrorInput);
  const value = rec.context(plane).sysreg(encoding) ?? rec.plane(plane).shadow.get(encoding) ?? 0n;
  const outcome = answer(registers, RsiStatus.Success);
  registers.setBig(1, value);
  return outcome;
}

/** RSI_PLANE_SYSREG_WRITE. */
export function planeSysregWrite(rec: Rec, registers: RegisterFile): SmcOutcome {
  const plane = registers.get(1);
  const encoding = registers.get(2);
  if (!isAuxiliary(rec, plane) || !isAccessibleSysreg(encoding)) return answer(registers, RsiStatus.ErrorInput);
  const value = registers.big(3);
  if (!rec.context(plane).setSysreg(encoding, value)) rec.plane(plane).shadow.set(encoding, value);
  return answer(registers, RsiStatus.Success);
}
