import { createHash } from 'node:crypto';

import type { TmkPayload, HaltReason } from '../../../../petri/contract/index.ts';
import { resolveVmConfig } from '../../../../petri/vm/index.ts';
import { type Guest, tmkKind, type TmkFactory } from '../../guests/index.ts';
import { RunLoop } from '../run-loop.ts';
import type { Slice } from '../slice-scheduler.ts';

/** One VM: its payload, and everything that its result may depend on. */
export interface VmCase {
  readonly payload: TmkPayload;
  readonly testIndex: number;
  readonly isolation: 'cca' | 'none';
  readonly memory: string;
  readonly maxInstructions: number;
}

/** Everything observable of a run, as text: equal if two runs were the same. */
export interface Observed {
  readonly halt: string;
  readonly instructions: number;
  readonly exits: string;
  readonly transcript: string;
  readonly log: string;
}

/** A VM on the simulator's run loop, with slices controlled by the test. */
export class ObservedVm {
  readonly #guest: Guest;
  readonly #printed: Uint8Array[] = [];
  readonly #log: string[] = [];
  #slice: Slice = () => false;
  #halt: HaltReason | undefined;

  /** @param now a clock in milliseconds, which decides the lengths of calls into the guest and slices */
  static async make(vmCase: VmCase, now: () => number): Promise<ObservedVm> {
    return new ObservedVm(vmCase, await tmkKind(vmCase.isolation).load(), now);
  }

  private constructor({ payload, testIndex, memory, maxInstructions }: VmCase, guests: TmkFactory, now: () => number) {
    const config = resolveVmConfig({ memory });
    const listener = {
      print: (bytes: Uint8Array) => this.#printed.push(bytes.slice()),
      log: (message: string) => this.#log.push(message),
    };
    this.#guest = guests.make(payload, config, listener);
    this.#guest.boot(testIndex);
    const loop = new RunLoop({
      guest: this.#guest,
      maxInstructions,
      scheduler: { add: (slice) => (this.#slice = slice) },
      now,
    });
    void loop.halted.then((halt) => (this.#halt = halt));
    loop.start();
  }

  /** @returns whether there is another slice */
  runSlice(): boolean {
    return this.#slice();
  }

  /** Ends the VM, if necessary before its guest halts. */
  end(): void {
    this.#guest.release();
  }

  /** What was observed of a run that has ended. */
  async observe(): Promise<Observed> {
    // Only the promise knows that the guest has halted.
    await Promise.resolve();
    const exits = this.#guest.planes.map((plane) => plane && [plane.exitCount, plane.exits]);
    const text = (value: unknown): string =>
      JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));
    return {
      halt: text(this.#halt),
      instructions: this.#guest.retired,
      exits: createHash('sha256').update(text(exits)).digest('hex'),
      transcript: Buffer.concat(this.#printed).toString(),
      log: this.#log.join('\n'),
    };
  }
}
