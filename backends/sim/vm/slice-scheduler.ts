/** Runs one slice. @returns whether there is another to run */
export type Slice = () => boolean;

/**
 * Takes turns among the VMs of this thread: one slice of one of them, then whatever else the event loop has to do. So
 * timers, deadlines and other tests wait for one slice at most, however many VMs run.
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
