import { PetriError } from '../../errors.ts';

/** The starts of a VM and its one end, which may come in the middle of a start. */
export class VmLife {
  readonly #end: () => Promise<void>;
  #starting: Promise<unknown> | undefined;
  #killing: Promise<void> | undefined;

  /**
   * @param end ends the VM and gives back what it holds. Called once more where a start was under way, for what that
   *   has left.
   */
  constructor(end: () => Promise<void>) {
    this.#end = end;
  }

  /**
   * Runs a start, for `VmRuntime.start`.
   *
   * @throws PetriError `vm-closed` where the VM was ended before or meanwhile; what `boot` throws
   */
  async start<T>(boot: () => Promise<T>): Promise<T> {
    this.mustLive();
    const starting = boot();
    this.#starting = starting;
    try {
      const booted = await starting;
      this.mustLive();
      return booted;
    } finally {
      if (this.#starting === starting) this.#starting = undefined;
    }
  }

  /** For a start, whenever it has waited for something. @throws PetriError `vm-closed` where the VM was ended */
  mustLive(): void {
    if (this.#killing !== undefined) throw vmClosed('the VM was ended and cannot be started again');
  }

  /** Whether it was ended. */
  get over(): boolean {
    return this.#killing !== undefined;
  }

  /** Ends the VM, for `VmRuntime.kill`. Idempotent. */
  kill(): Promise<void> {
    this.#killing ??= this.#kill();
    return this.#killing;
  }

  async #kill(): Promise<void> {
    const starting = this.#starting;
    await this.#end();
    if (starting === undefined) return;
    await starting.catch(() => undefined);
    await this.#end();
  }
}

/** That a VM cannot be started any more. @param message why, in a sentence */
export function vmClosed(message: string): PetriError {
  return new PetriError(message, {
    code: 'vm-closed',
    step: 'boot',
    remedy: 'start it before the end of its test, or launch another',
  });
}
