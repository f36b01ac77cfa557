import type { EndReason } from '../contract/index.ts';

/** One for all: making it for each of a thousand VMs takes longer than the abort. */
const STOPPED = new DOMException('the VM was ended', 'AbortError');

/** The end of a VM that comes from outside of its guest: it comes once, and whoever must act on it is called. */
export class VmEnd {
  readonly #controller = new AbortController();
  readonly #handlers: ((why: EndReason) => void)[] = [];
  #why: EndReason | undefined;

  /** Why the VM is ended, once it is. */
  get why(): EndReason | undefined {
    return this.#why;
  }

  /** Aborted by the end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the VM. Only the first call has an effect. */
  end(why: EndReason): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#controller.abort(why.reason === 'timeout' ? new DOMException(why.message, 'TimeoutError') : STOPPED);
    this.repeat();
  }

  /** Calls back at the end; at once if that has come. */
  on(handler: (why: EndReason) => void): void {
    this.#handlers.push(handler);
    if (this.#why !== undefined) handler(this.#why);
  }

  /** Says it again, to a boot that was on its way when the end came. */
  repeat(): void {
    if (this.#why === undefined) return;
    for (const handler of this.#handlers) handler(this.#why);
  }

  /** From here on nobody is called. */
  release(): void {
    this.#handlers.length = 0;
  }
}
