/** Bytes that wait, by chunk: nothing is lost, and a byte costs no more the more of them wait. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that were taken. */
  #taken = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies the chunk. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk.slice());
    this.#length += chunk.length;
  }

  /** Takes at most `limit` bytes of the first chunk; none if the queue is empty. */
  take(limit: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array();
    const part = first.subarray(this.#taken, this.#taken + limit);
    this.#taken += part.length;
    this.#length -= part.length;
    if (this.#taken === first.length) {
      this.#chunks.shift();
      this.#taken = 0;
    }
    return part;
  }

  /** All that waits, in one piece. */
  save(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const [index, chunk] of this.#chunks.entries()) {
      const rest = index === 0 ? chunk.subarray(this.#taken) : chunk;
      all.set(rest, at);
      at += rest.length;
    }
    return all;
  }

  restore(waiting: Uint8Array): void {
    this.#chunks = [];
    this.#taken = 0;
    this.#length = 0;
    this.add(waiting);
  }
}
