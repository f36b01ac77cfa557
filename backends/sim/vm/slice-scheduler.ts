/** Runs one slice. @returns whether there is another */
export type Slice = () => boolean;

/**
 * Alternates between the VMs of this thread: one slice of one VM, then a turn of the event loop. Timers, deadlines and
 * other tests thus wait for at most one slice, however many VMs run.
 */
export class SliceScheduler {
  readonly #queue: Slice[] = [];
  #armed = false;

  add(slice: Slice): void {
    this.#queue.push(slice);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed || this.#queue.length === 0) return;
    this.#armed = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#armed = false;
    const slice = this.#queue.shift();
    try {
      if (slice?.() === true) this.#queue.push(slice);
    } finally {
      this.#arm();
    }
  }
}

/** The scheduler of this thread. */
export const sliceScheduler = new SliceScheduler();
