import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ObservationRequest } from '../../../petri/debugging.ts';
import type { TmkPayload } from '../../../petri/contract/index.ts';
import { PayloadLocator } from '../../../petri/tmk/index.ts';
import type { Guest } from '../guests/index.ts';
import { GuestCoverage } from './coverage.ts';
import { InstructionTrace } from './instruction-trace.ts';

/** What an observation needs of its VM. */
export interface ObservationOptions {
  readonly request: ObservationRequest;
  readonly payload: TmkPayload;
  /** The VM's folder. */
  readonly directory: string;
  /** Bytes that a trace may have. */
  readonly limit: number;
  readonly log: (message: string) => void;
}

/** What is written of a VM's guests while they run: `trace.txt` and `guest-coverage.info` in its folder. */
export class Observation {
  readonly #options: ObservationOptions;
  readonly #coverage: GuestCoverage | undefined;
  #trace: InstructionTrace | undefined;
  #boots = 0;
  #closed = false;

  constructor(options: ObservationOptions) {
    this.#options = options;
    if (options.request.coverage) this.#coverage = new GuestCoverage(options.payload.image.span);
  }

  /** Observes a guest that has not run yet. */
  observe(guest: Guest): void {
    const { debug } = guest;
    if (debug === undefined) return;
    this.#coverage?.observe(debug);
    if (!this.#options.request.trace) return;
    this.#trace ??= new InstructionTrace({
      path: join(this.#options.directory, 'trace.txt'),
      limit: this.#options.limit,
      locator: new PayloadLocator(this.#options.payload.image, debug.loadOffset),
      log: this.#options.log,
    });
    this.#trace.observe(guest);
  }

  /** A boot begins. */
  boot(): void {
    this.#boots += 1;
    this.#trace?.boot(this.#boots);
  }

  /** Writes the files. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#trace?.close();
    if (this.#coverage !== undefined) this.#writeCoverage(this.#coverage);
  }

  #writeCoverage(coverage: GuestCoverage): void {
    const { payload, directory, log } = this.#options;
    if (payload.elf.lines.length === 0) {
      log(`${payload.name} has no line tables, so there is no coverage of it: build it with -g`);
      return;
    }
    try {
      writeFileSync(join(directory, 'guest-coverage.info'), coverage.lcov(payload.elf, payload.name));
    } catch (error) {
      log(`the coverage cannot be written to ${directory}: ${String(error)}`);
    }
  }
}
