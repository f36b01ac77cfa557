import { randomBytes } from 'node:crypto';

/** Bytes before the mark that are kept, for a message and to find the mark in. */
const MAX_GREETING = 64 * 1024;

/**
 * `$0` is the nonce. The mark is in no argument as a whole: a login shell that repeats what it was asked to run is not
 * believed.
 */
const START = 'printf "petri-%s:%s\\n" start "$0"; printf "petri-%s:%s\\n" start "$0" >&2; exec "$@"';

/**
 * Tells what a command prints from what a login shell prints before it: the files that shells read first (Debian's bash
 * reads ~/.bashrc for commands over SSH too) may greet, with a line end or without.
 */
export class CommandOutput {
  /** What is run instead of the program: it says that it begins, and becomes it. */
  readonly argv: readonly string[];
  readonly #mark: string;
  #greeting: Buffer = Buffer.alloc(0);
  #started = false;
  readonly #onStart: (() => void)[] = [];

  constructor(argv: readonly string[], nonce = randomBytes(8).toString('hex')) {
    this.argv = ['sh', '-c', START, nonce, ...argv];
    this.#mark = `petri-start:${nonce}\n`;
  }

  /** Whether the program, or at least the shell that becomes it, was started. */
  get started(): boolean {
    return this.#started;
  }

  /** The last bytes that were printed before. */
  get greeting(): string {
    return this.#greeting.toString('utf8');
  }

  /** Calls back when the program was started, before any of its bytes: what is typed before may go to a login file. */
  onStart(callback: () => void): void {
    if (this.#started) callback();
    else this.#onStart.push(callback);
  }

  /** Takes what a channel receives, and passes on what the program printed. */
  reader(take: (bytes: Buffer) => void): (bytes: Buffer) => void {
    return (bytes) => {
      if (this.#started) {
        take(bytes);
        return;
      }
      const all = Buffer.concat([this.#greeting, bytes]);
      const at = all.indexOf(this.#mark);
      if (at === -1) {
        this.#greeting = all.subarray(-MAX_GREETING);
        return;
      }
      this.#greeting = all.subarray(0, at);
      this.#started = true;
      for (const callback of this.#onStart.splice(0)) callback();
      const rest = all.subarray(at + this.#mark.length);
      if (rest.length > 0) take(rest);
    };
  }

  /** Of all that came on standard error, what the program printed. */
  errorsIn(stderr: string): string {
    const at = stderr.indexOf(this.#mark);
    return at === -1 ? stderr : stderr.slice(at + this.#mark.length);
  }
}
