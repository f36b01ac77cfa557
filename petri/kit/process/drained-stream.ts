import { Readable } from 'node:stream';

const maxUnread = 2 ** 20;

/**
 * Output of a process that need not be read: it is drained at once, and beyond 1 MiB the oldest unread bytes are
 * dropped, with a note in their place.
 */
export class DrainedStream extends Readable {
  #queue: Buffer[] = [];
  #queued = 0;
  #dropped = 0;
  #wanted = false;
  #ended = false;

  give(chunk: Buffer): void {
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    while (this.#queued > maxUnread && this.#queue.length > 1) {
      const oldest = this.#queue.shift()?.length ?? 0;
      this.#queued -= oldest;
      this.#dropped += oldest;
    }
    if (this.#wanted) this.#hand();
  }

  end(): void {
    this.#ended = true;
    if (this.#wanted) this.#hand();
  }

  override _read(): void {
    this.#wanted = true;
    this.#hand();
  }

  #hand(): void {
    while (this.#wanted) {
      if (this.#dropped > 0) {
        const note = `\n[petri: ${this.#dropped} bytes were not read in time and are left out]\n`;
        this.#dropped = 0;
        this.#wanted = this.push(note);
        continue;
      }
      const chunk = this.#queue.shift();
      if (chunk === undefined) break;
      this.#queued -= chunk.length;
      this.#wanted = this.push(chunk);
    }
    if (this.#ended && this.#queue.length === 0 && this.#dropped === 0) {
      this.#wanted = false;
      this.push(null);
    }
  }
}
