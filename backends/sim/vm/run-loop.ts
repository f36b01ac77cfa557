import type { PayloadLocator } from '../../../petri/tmk/index.ts';
import { DEFAULT_MAX_INSTRUCTIONS, type HaltReason } from '../../../petri/contract/index.ts';
import type { Guest } from '../guests/index.ts';
import type { GuestTimers } from './guest-timers.ts';
import { type Slice, sliceScheduler } from './slice-scheduler.ts';

/** Milliseconds after which a slice gives way to the event loop. */
const SLICE = 1;
/** Milliseconds that one call into the guest should take. */
const CHUNK = 0.25;
/** Instructions of the first call: a cold guest runs a few million a second. */
const FIRST_CHUNK = 10_000;
const MIN_CHUNK = 1_000;
/**
 * Few enough that a guest which suddenly becomes slow still ends its call within the 5 ms that a slice may take: what
 * is slow is charged to the budget of the call as so many instructions.
 */
const MAX_CHUNK = 200_000;

interface RunLoopOptions {
  readonly guest: Guest;
  readonly locator: PayloadLocator;
  /** Instructions after which the guest is ended. */
  readonly maxInstructions: number;
  readonly timers?: GuestTimers;
  readonly scheduler?: { add(slice: Slice): void };
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/**
 * Runs a guest to its end in slices of about 1 ms, and ends it early on request or when its instructions are used up.
 * How the slices fall depends on the clock; nothing that the guest can see does.
 */
export class RunLoop {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly #guest: Guest;
  readonly #locator: PayloadLocator;
  readonly #maxInstructions: number;
  readonly #maxWork: number;
  readonly #timers: GuestTimers | undefined;
  readonly #scheduler: { add(slice: Slice): void };
  readonly #now: () => number;
  readonly #outstayed: () => boolean;
  #resolve: (reason: HaltReason) => void = () => undefined;
  #ended = false;
  #chunk = FIRST_CHUNK;
  #sliceEnd = 0;

  constructor(options: RunLoopOptions) {
    this.#guest = options.guest;
    this.#locator = options.locator;
    this.#maxInstructions = options.maxInstructions;
    this.#maxWork = Math.max(options.maxInstructions, DEFAULT_MAX_INSTRUCTIONS);
    this.#timers = options.timers;
    this.#scheduler = options.scheduler ?? sliceScheduler;
    this.#now = options.now ?? (() => performance.now());
    this.#outstayed = () => this.#now() >= this.#sliceEnd;
    this.halted = new Promise((resolve) => (this.#resolve = resolve));
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(): void {
    this.#scheduler.add(() => this.#slice());
  }

  /** Ends the run; the guest does not execute another instruction. Only the first call has an effect. */
  end(reason: HaltReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolve(reason);
  }

  /** As `end`, with where the guest is. */
  endAt(reason: 'budget' | 'timeout', why: string): void {
    if (this.#ended) return;
    const registers = this.#guest.registers();
    const { symbol, text } = this.#locator.locate(registers.pc);
    this.end({
      reason,
      message: `${why}; it was at ${text}${this.#guest.vectorNote()}`,
      registers,
      ...(symbol === undefined ? {} : { symbol }),
    });
  }

  #slice(): boolean {
    try {
      let now = this.#now();
      this.#sliceEnd = now + SLICE;
      while (!this.#ended && now < this.#sliceEnd) {
        // The event loop gets its turn before the guest continues.
        if (this.#timers?.fire() === true) break;
        const left = this.#left();
        if (left <= 0) {
          this.endAt('budget', this.#usedUp());
          break;
        }
        const halt = this.#guest.run(Math.min(this.#chunk, left, this.#timers?.left ?? left), this.#outstayed);
        const started = now;
        now = this.#now();
        if (halt !== undefined) this.end(halt);
        else this.#adapt(now - started);
      }
    } catch (error) {
      // Whatever the guest did, this is the simulator's own mistake.
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.end({ reason: 'backend-lost', message: `the simulator failed: ${detail}` });
    }
    return !this.#ended;
  }

  /**
   * What the guest may still do. A budget of the default size and above also bounds its work, so that a guest which
   * does little but leave for its monitor, or take exceptions, ends in about the time of one that counts.
   */
  #left(): number {
    return Math.min(this.#maxInstructions - this.#guest.retired, this.#maxWork - this.#guest.work);
  }

  #usedUp(): string {
    const { retired } = this.#guest;
    if (retired >= this.#maxInstructions) {
      return `the guest used up its budget of ${this.#maxInstructions} instructions`;
    }
    return (
      `the guest used up its budget of ${this.#maxWork} instructions: ${retired} of them, and its exits and exceptions, ` +
      `which count for what they take`
    );
  }

  /** Sizes the next call by how long the last one took, instructions or exits. */
  #adapt(elapsed: number): void {
    if (elapsed > 2 * CHUNK) this.#chunk = Math.max(MIN_CHUNK, Math.ceil((this.#chunk * CHUNK) / elapsed));
    else if (elapsed < CHUNK / 2) this.#chunk = Math.min(MAX_CHUNK, this.#chunk * 2);
  }
}
