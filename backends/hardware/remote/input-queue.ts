/** Bytes in one line; shells read lines byte by byte. */
const CHUNK = 4096;

/**
 * Input that is not on the host yet. One chunk is in transit at a time, with its offset in the stream: if it is sent
 * again after a connection broke, it does not arrive twice.
 */
export class InputQueue {
  readonly file: string;
  #waiting = Buffer.alloc(0);
  #sent = Buffer.alloc(0);
  /** Offset of the chunk in transit. */
  #offset: number;

  /**
   * @param file of the launch to which the input is appended
   * @param begin bytes that are on the host already
   */
  constructor(file: string, begin = 0) {
    this.file = file;
    this.#offset = begin;
  }

  push(bytes: Uint8Array): void {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
  }

  /** The next line to send, once the previous one has been acknowledged. */
  next(): string | undefined {
    if (this.#sent.length > 0 || this.#waiting.length === 0) return undefined;
    this.#sent = this.#waiting.subarray(0, CHUNK);
    this.#waiting = this.#waiting.subarray(CHUNK);
    return this.#line();
  }

  /** The line that may not have arrived, to be sent on a new connection. */
  again(): string | undefined {
    return this.#sent.length > 0 ? this.#line() : this.next();
  }

  /** The host has received this many bytes. */
  acknowledge(size: number): void {
    if (this.#sent.length === 0 || size !== this.#offset + this.#sent.length) return;
    this.#offset = size;
    this.#sent = Buffer.alloc(0);
  }

  #line(): string {
    return `in ${this.file} ${String(this.#offset)} ${this.#sent.toString('base64')}\n`;
  }
}
