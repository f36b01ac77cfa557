import { createHash } from 'node:crypto';

/** The SHA-256 of the bytes so far, in the format of `sha256sum`, and their number. */
export class RunningDigest {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#hash.update(bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the bytes so far, in hex. */
  get value(): string {
    return this.#hash.copy().digest('hex');
  }
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
