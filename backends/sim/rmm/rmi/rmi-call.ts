import type { RegisterFile } from '../abi/register-file.ts';
import type { RmmState } from '../rec/rmm-state.ts';

/** What the handler of an RMI command works with besides its operands. */
export interface RmiCall {
  readonly state: RmmState;
  /** Registers of the host: zero when a handler begins, and X1 and those that follow are results. */
  readonly out: RegisterFile;
}
