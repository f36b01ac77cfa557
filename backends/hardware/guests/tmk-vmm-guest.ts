import type { TmkEvent, HaltReason, TmkImage } from '../../../petri/contract/index.ts';
import { haltOf, TmkVmmLog } from '../../../petri/kit/cca/index.ts';
import { launcherFailure, type Guest } from './guest.ts';

export interface TmkVmmGuestOptions {
  readonly image: TmkImage;
  /** Receives the guest's log. */
  readonly serial: (bytes: Uint8Array) => void;
  /** Receives everything. */
  readonly launcher: (bytes: Uint8Array) => void;
  readonly log: (message: string) => void;
}

/** A guest whose launcher is OpenVMM's tmk_vmm, or a program with the same output and exit codes. */
export class TmkVmmGuest implements Guest {
  readonly #log: TmkVmmLog;
  readonly #options: TmkVmmGuestOptions;
  #completion: readonly TmkEvent[] = [];

  constructor(options: TmkVmmGuestOptions) {
    this.#options = options;
    const print = (text: string): void => options.serial(Buffer.from(text));
    this.#log = new TmkVmmLog(print, options.log, options.image);
  }

  get events(): readonly TmkEvent[] {
    return [...this.#log.events, ...this.#completion];
  }

  output(bytes: Uint8Array): void {
    this.#options.launcher(bytes);
    this.#log.push(bytes);
  }

  launcherEnded(code: number): HaltReason {
    const failure = launcherFailure(code);
    if (failure !== undefined) return failure;
    const report = this.#log.finish();
    const halt = haltOf({ code, report, events: this.#log.events });
    if (halt.reason === 'complete') this.#completion = [{ kind: 'complete', success: halt.success }];
    return halt;
  }
}
