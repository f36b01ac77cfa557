import type { GuestTimer } from '../../../petri/contract/index.ts';

/**
 * Instructions, counted as `Guest.work`, for one millisecond of a time-out: about what a busy machine still executes in
 * that time.
 */
export const WORK_PER_MILLISECOND = 100_000;

interface Entry {
  readonly work: number;
  readonly callback: () => void;
  due: number;
}

/** Timers of one VM that count the work of its guest instead of time. */
export class GuestTimers {
  /** The guest's work so far. */
  readonly #now: () => number;
  readonly #entries = new Set<Entry>();

  constructor(now: () => number) {
    this.#now = now;
  }

  start(milliseconds: number, callback: () => void): GuestTimer {
    const work = Math.max(1, Math.ceil(milliseconds * WORK_PER_MILLISECOND));
    const entry: Entry = { work, callback, due: this.#now() + work };
    this.#entries.add(entry);
    return {
      refresh: () => {
        entry.due = this.#now() + work;
        this.#entries.add(entry);
      },
      cancel: () => {
        this.#entries.delete(entry);
      },
    };
  }

  /** Work until the next timer is due. */
  get left(): number {
    if (this.#entries.size === 0) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#entries) next = Math.min(next, due);
    return next - this.#now();
  }

  /** Calls back every timer that is due. @returns whether there was one */
  fire(): boolean {
    if (this.#entries.size === 0) return false;
    const now = this.#now();
    const due = [...this.#entries].filter((entry) => entry.due <= now);
    for (const entry of due) this.#entries.delete(entry);
    for (const { callback } of due) callback();
    return due.length > 0;
  }

  /** The guest restarts from reset: running timers count from there. */
  restart(): void {
    for (const entry of this.#entries) entry.due = entry.work;
  }
}
