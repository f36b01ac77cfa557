import { randomBytes } from 'node:crypto';

/** Bytes before the mark that are kept, for a message and to search for the mark. */
const MAX_GREETING = 64 * 1024;

/**
 * `$0` is the nonce. No argument contains the whole mark, so a login shell that echoes the command does not produce it.
 */
const START = 'printf "petri-%s:%s\\n" start "$0"; printf "petri-%s:%s\\n" start "$0" >&2; exec "$@"';

/**
 * Separates the output of a command from what a login shell prints before it: startup files (Debian's bash reads
 * ~/.bashrc for commands over SSH too) may print a greeting, with or without a line end.
 */
export class CommandOutput {
  /** Run instead of the program: prints the mark, and then becomes the program. */
  readonly argv: readonly string[];
  readonly #mark: string;
  #greeting: Buffer = Buffer.alloc(0);
  #started = false;
  readonly #onStart: (() => void)[] = [];

  constructor(argv: readonly string[], nonce = randomBytes(8).toString('hex')) {
    this.argv = ['sh', '-c', START, nonce, ...argv];
    this.#mark = `petri-start:${nonce}\n`;
  }

  /** Whether the program, or at least the shell that becomes it, has started. */
  get started(): boolean {
    return this.#started;
  }

  /** The last bytes that were printed before the mark. */
  get greeting(): string {
    return this.#greeting.toString('utf8');
  }

  /** Called when the program has started, before any of its output: earlier input could be read by a startup file. */
  onStart(callback: () => void): void {
    if (this.#started) callback();
    else this.#onStart.push(callback);
  }

  /** Receives the data of a channel, and passes on the program's output. */
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

  /** The program's part of standard error. */
  errorsIn(stderr: string): string {
    const at = stderr.indexOf(this.#mark);
    return at === -1 ? stderr : stderr.slice(at + this.#mark.length);
  }
}
