import { DEFAULT_MAX_INSTRUCTIONS, type HaltReason } from '../../../petri/contract/index.ts';
import type { Guest } from '../guests/index.ts';
import { type GuestTimers, WORK_PER_MILLISECOND } from './guest-timers.ts';
import { type Slice, sliceScheduler } from './slice-scheduler.ts';

/** Milliseconds after which a slice yields to the event loop. */
const SLICE = 1;
/** Target duration of one call into the guest, in milliseconds. */
const CHUNK = 0.25;
/** Instructions of the first call: a cold guest executes a few million per second. */
const FIRST_CHUNK = 10_000;
const MIN_CHUNK = 1_000;
/**
 * Few enough that a guest which suddenly becomes slow still returns within the 5 ms that a slice may take: slow
 * operations are charged to the budget of the call.
 */
const MAX_CHUNK = 200_000;
/**
 * Turns of the event loop that a guest leaves to others when input may arrive: a console looks at what came in one turn
 * in the next, and whoever waits for it answers in the one after.
 */
const LISTENING_TURNS = 3;
/** Milliseconds after which a guest that sleeps is looked after. */
const NAP = 10;

interface RunLoopOptions {
  readonly guest: Guest;
  /** Instructions after which the guest is stopped. */
  readonly maxInstructions: number;
  readonly timers?: GuestTimers;
  /**
   * Whether a guest that waits for a time waits as long as the host's clock takes, as somebody in front of a console
   * expects. @default false: it gets there at once
   */
  readonly realTime?: boolean;
  readonly scheduler?: { add(slice: Slice): void };
  /** Clock in milliseconds; for tests. */
  readonly now?: () => number;
}

/**
 * Runs a guest to its end in slices of about 1 ms, or until it is stopped or its budget is used up. The lengths of
 * slices depend on the clock, but nothing that the guest can see does.
 */
export class RunLoop {
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly #guest: Guest;
  readonly #maxInstructions: number;
  readonly #maxWork: number;
  readonly #timers: GuestTimers | undefined;
  readonly #scheduler: { add(slice: Slice): void };
  readonly #now: () => number;
  readonly #outstayed: () => boolean;
  #resolve: (reason: HaltReason) => void = () => undefined;
  #ended = false;
  /** Whether there is no next slice because the guest naps, or stands still for its debugger. */
  #paused = false;
  #chunk = FIRST_CHUNK;
  #sliceEnd = 0;
  readonly #waiting: ((listening: boolean) => void)[] = [];
  /** Turns left to others. */
  #turns = 0;
  readonly #realTime: boolean;
  #nap: NodeJS.Timeout | undefined;
  /** Milliseconds for which the guest has waited for input. */
  #napped = 0;
  /** When the wait of a guest in real time is over. */
  #wakeAt: number | undefined;

  constructor(options: RunLoopOptions) {
    this.#guest = options.guest;
    this.#maxInstructions = options.maxInstructions;
    this.#maxWork = Math.max(options.maxInstructions, DEFAULT_MAX_INSTRUCTIONS);
    this.#timers = options.timers;
    this.#realTime = options.realTime ?? false;
    this.#scheduler = options.scheduler ?? sliceScheduler;
    this.#now = options.now ?? (() => performance.now());
    this.#outstayed = () => this.#now() >= this.#sliceEnd;
    this.halted = new Promise((resolve) => (this.#resolve = resolve));
    if (options.guest.listens === true) this.#turns = LISTENING_TURNS;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(): void {
    this.#paused = false;
    this.#scheduler.add(() => this.#slice());
  }

  /**
   * Waits until the guest is at a point where input arrives; it stays there while only what waited for this goes on.
   *
   * @returns whether it is: a run that ends comes to no such point
   */
  async untilListening(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#guest.listens === true) return true;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends the run; the guest executes no further instruction. Only the first call has an effect. */
  end(reason: HaltReason): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#nap);
    this.#settle(false);
    this.#resolve(reason);
  }

  /**
   * What the guest's waits for input count, as work: a guest that only waits for ever is to come to the end of
   * time-outs and of its budget too.
   */
  get slept(): number {
    return this.#napped * WORK_PER_MILLISECOND;
  }

  /** Goes on: input has come, or the debugger has let the guest go. */
  wake(): void {
    if (!this.#paused || this.#ended) return;
    clearTimeout(this.#nap);
    this.#nap = undefined;
    this.start();
  }

  /** As `end`, with the guest's PC in the message. */
  endAt(reason: 'budget' | 'timeout', why: string): void {
    if (!this.#ended) this.end(this.#guest.expired(reason, why));
  }

  #settle(listening: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(listening);
  }

  #slice(): boolean {
    if (this.#turns > 0) {
      this.#turns -= 1;
      return !this.#ended;
    }
    if (this.#sleeps()) return false;
    try {
      let now = this.#now();
      this.#sliceEnd = now + SLICE;
      while (!this.#ended && now < this.#sliceEnd && this.#guest.standing !== true) {
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
        if (this.#guest.listens === true) {
          this.#turns = LISTENING_TURNS;
          this.#settle(true);
          break;
        }
      }
    } catch (error) {
      // The guest cannot cause this: it is a defect of the simulator.
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.end({ reason: 'backend-lost', message: `the simulator failed: ${detail}` });
    }
    this.#paused = this.#guest.standing === true;
    return !this.#ended && !this.#paused;
  }

  /** Lets the guest nap if it only waits. @returns whether it does */
  #sleeps(): boolean {
    if (this.#ended) return true;
    const nanoseconds = this.#guest.sleeps;
    if (nanoseconds === undefined || (nanoseconds !== Infinity && !this.#realTime)) {
      this.#wakeAt = undefined;
      return false;
    }
    const left = nanoseconds === Infinity ? NAP : this.#untilAwake(nanoseconds);
    if (left <= 0 || this.#left() <= 0) {
      this.#wakeAt = undefined;
      return false;
    }
    const duration = Math.min(left, NAP);
    this.#paused = true;
    this.#nap = setTimeout(() => {
      this.#nap = undefined;
      if (nanoseconds === Infinity) this.#napped += duration;
      this.#timers?.fire();
      this.start();
    }, duration);
    return true;
  }

  /** Milliseconds left of a wait in real time. */
  #untilAwake(nanoseconds: number): number {
    this.#wakeAt ??= this.#now() + nanoseconds / 1_000_000;
    return this.#wakeAt - this.#now();
  }

  /**
   * What is left of the budget. A budget of the default size or more also limits the work of the guest: one that mostly
   * exits to its monitor or takes exceptions then ends in about the same time as one that only executes instructions.
   */
  #left(): number {
    const work = this.#guest.work + this.slept;
    return Math.min(this.#maxInstructions - this.#guest.retired, this.#maxWork - work);
  }

  #usedUp(): string {
    const { retired } = this.#guest;
    if (retired >= this.#maxInstructions) {
      return `the guest used up its budget of ${this.#maxInstructions} instructions`;
    }
    return (
      `the guest used up its budget of ${this.#maxWork} instructions: it retired ${retired}, and its exits and ` +
      `exceptions, counted by their cost, are the rest`
    );
  }

  /** Sizes the next call by the duration of the last one. */
  #adapt(elapsed: number): void {
    if (elapsed > 2 * CHUNK) this.#chunk = Math.max(MIN_CHUNK, Math.ceil((this.#chunk * CHUNK) / elapsed));
    else if (elapsed < CHUNK / 2) this.#chunk = Math.min(MAX_CHUNK, this.#chunk * 2);
  }
}
