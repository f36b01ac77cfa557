import type { RegisterFile } from '../abi/register-file.ts';
import { SmcOutcome } from './smc-outcome.ts';

/** Results of an SMC: X0 to X3 are written and the rest stays, as in TF-RMM. */
export function answer(registers: RegisterFile, status: number, x1 = 0, x2 = 0, x3 = 0): SmcOutcome {
  registers.set(0, status);
  registers.set(1, x1);
  registers.set(2, x2);
  registers.set(3, x3);
  return SmcOutcome.Resume;
}
