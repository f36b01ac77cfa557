/** Where a console device puts what the guest writes, in order. */
export interface ByteSink {
  byte(value: number): void;
  /** @param chunk valid during the call only */
  bytes(chunk: Uint8Array): void;
}

const CAPACITY = 4096;

/** Hands bytes on in chunks: when 4 KiB are full, and when the machine flushes it, as it does after each slice. */
export class BufferedSink implements ByteSink {
  readonly #output: (chunk: Uint8Array) => void;
  readonly #buffer = new Uint8Array(CAPACITY);
  #used = 0;

  /** @param output takes chunks of its own */
  constructor(output: (chunk: Uint8Array) => void) {
    this.#output = output;
  }

  byte(value: number): void {
    this.#buffer[this.#used] = value;
    this.#used += 1;
    if (this.#used === CAPACITY) this.flush();
  }

  bytes(chunk: Uint8Array): void {
    if (chunk.length > CAPACITY - this.#used) this.flush();
    if (chunk.length > CAPACITY) {
      this.#output(chunk.slice());
      return;
    }
    this.#buffer.set(chunk, this.#used);
    this.#used += chunk.length;
  }

  flush(): void {
    if (this.#used === 0) return;
    const chunk = this.#buffer.slice(0, this.#used);
    this.#used = 0;
    this.#output(chunk);
  }
}
