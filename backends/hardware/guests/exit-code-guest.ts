import type { TmkEvent, HaltReason } from '../../../petri/contract/index.ts';
import { launcherFailure, type Guest } from './guest.ts';

/** A guest of which only the output and the launcher's exit code are known. */
export class ExitCodeGuest implements Guest {
  readonly events: readonly TmkEvent[] = [];
  readonly output: (bytes: Uint8Array) => void;

  constructor(print: (bytes: Uint8Array) => void) {
    this.output = print;
  }

  launcherEnded(code: number): HaltReason {
    return launcherFailure(code) ?? { reason: 'complete', success: code === 0 };
  }
}
