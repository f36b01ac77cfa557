import type { RegisterFile } from '../abi/register-file.ts';
import type { RmmState } from '../rec/rmm-state.ts';

/** Arguments of an RMI command's handler, other than its operands. */
export interface RmiCall {
  readonly state: RmmState;
  /** The host's registers, zeroed before the handler is called; it writes results from X1 on. */
  readonly out: RegisterFile;
}
