import { SerialConsole, type SerialConsoleOptions } from '../../../serial/index.ts';

/**
 * Bytes of a machine's console that are kept on disk. The machine outlives many VMs, whose own consoles have separate
 * limits.
 */
const LOG_LIMIT = 256 * 1024 * 1024;

/** A console of the machine whose output also goes to the VM that runs on it. */
export class TapConsole extends SerialConsole {
  readonly #taps = new Set<(bytes: Uint8Array) => void>();

  constructor(options: SerialConsoleOptions) {
    super({ logLimit: LOG_LIMIT, ...options });
  }

  override push(bytes: Uint8Array): void {
    super.push(bytes);
    for (const tap of this.#taps) tap(bytes);
  }

  /** Passes on what arrives from now on. @returns a function that ends that */
  tap(take: (bytes: Uint8Array) => void): () => void {
    this.#taps.add(take);
    return () => {
      this.#taps.delete(take);
    };
  }
}
