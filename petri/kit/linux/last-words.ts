import { finalPanicWords } from '../boot/index.ts';

const LIMIT = 16 * 1024;

const MARK = '---[ end Kernel panic - not syncing';

/** The end of one boot's output: consoles also contain that of earlier boots. */
export class LastWords {
  #text = '';

  push(bytes: Uint8Array): void {
    this.#text = (this.#text + Buffer.from(bytes).toString('latin1')).slice(-LIMIT);
  }

  get text(): string {
    return this.#text;
  }

  /**
   * Words of a panic after which the kernel does nothing more, not even reboot; `undefined` before its line is
   * complete.
   */
  get panic(): string | undefined {
    const at = this.#text.lastIndexOf(MARK);
    if (at < 0 || !this.#text.includes('\n', at)) return undefined;
    return finalPanicWords(this.#text);
  }
}
