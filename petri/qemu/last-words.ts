const LIMIT = 16 * 1024;

/** The end of what one boot printed: consoles have those of boots before it too. */
export class LastWords {
  #text = '';

  push(bytes: Uint8Array): void {
    this.#text = (this.#text + Buffer.from(bytes).toString('latin1')).slice(-LIMIT);
  }

  get text(): string {
    return this.#text;
  }
}
