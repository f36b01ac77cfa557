/** Printed by the console servers ser2net and gensio before they close the connection. */
const BUSY = 'port already in use';

/** Maximum length of their message, including names of the port's users. */
const LONGEST = 256;

/** Milliseconds after which bytes that could still be that message are passed to the console. */
const HELD_FOR = 1000;

/** Holds back the first bytes of a connection while they may be a console server's message that the port is in use. */
export class BusyPortFilter {
  readonly #release: (bytes: Uint8Array) => void;
  #held: Buffer | undefined = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  constructor(release: (bytes: Uint8Array) => void) {
    this.#release = release;
  }

  /** Whether everything that arrived is that message. */
  get isBusy(): boolean {
    return this.#held !== undefined && textOf(this.#held).startsWith(BUSY);
  }

  push(bytes: Uint8Array): void {
    if (this.#held === undefined) {
      this.#release(bytes);
      return;
    }
    this.#held = Buffer.concat([this.#held, bytes]);
    const text = textOf(this.#held);
    const possible = BUSY.startsWith(text) || (text.startsWith(BUSY) && !text.trimEnd().includes('\n'));
    if (!possible || this.#held.length > LONGEST) this.release();
    else if (this.isBusy) clearTimeout(this.#timer);
    else if (text !== '') this.#timer ??= setTimeout(() => this.release(), HELD_FOR);
  }

  /** Passes on what is held back. Idempotent. */
  release(): void {
    clearTimeout(this.#timer);
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && held.length > 0) this.#release(held);
  }
}

function textOf(bytes: Buffer): string {
  return bytes.toString('latin1').trimStart().toLowerCase();
}
