import { SerialConsole } from '../../serial/index.ts';

/** A console of the machine whose bytes also go to the VMs that run on it, while they do. */
export class TapConsole extends SerialConsole {
  readonly #taps = new Set<(bytes: Uint8Array) => void>();

  override push(bytes: Uint8Array): void {
    super.push(bytes);
    for (const tap of this.#taps) tap(bytes);
  }

  /** Passes on what arrives from now on. Returns what ends that. */
  tap(take: (bytes: Uint8Array) => void): () => void {
    this.#taps.add(take);
    return () => {
      this.#taps.delete(take);
    };
  }
}
