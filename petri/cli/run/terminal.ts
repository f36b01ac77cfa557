import { isatty } from 'node:tty';

import type { SerialConsole } from '../../serial/index.ts';
import { printBetween, printError, TerminalFilter, writeTerminal } from '../../text/index.ts';
import { printInTurn } from '../output.ts';

const STDOUT = 1;
/** Ctrl-], as telnet has it. */
const ESCAPE = 0x1d;

/** What the menu can do. */
export interface MenuActions {
  /** Asks the guest to stop. */
  stop(): void;
  /** Ends it at once. */
  quit(): void;
  reset(): void;
  /** A line about the VM. */
  describe(): string;
}

const MENU = [
  'q  end the VM at once',
  's  ask the guest to power off',
  'r  reset',
  'i  show where it is',
  ']  send Ctrl-] to the guest',
];

/** Connects a console with the terminal of this process, or with its standard input and output where they are none. */
export class Terminal {
  readonly #console: SerialConsole;
  readonly #actions: MenuActions;
  readonly #filter = new TerminalFilter();
  readonly #endView: () => void;
  #inMenu = false;
  readonly #onData = (bytes: Buffer): void => this.#typed(bytes);

  constructor(console: SerialConsole, actions: MenuActions) {
    this.#console = console;
    this.#actions = actions;
    this.#endView = isatty(STDOUT)
      ? console.view((bytes) => writeTerminal(this.#filter.push(bytes)))
      : (): void => undefined;
    const { stdin } = process;
    if (stdin.isTTY) stdin.setRawMode(true);
    stdin.on('data', this.#onData);
    stdin.on('error', () => undefined);
    stdin.resume();
  }

  /** Prints what the guest prints, without a terminal, until the console closes. */
  async printLines(signal: AbortSignal): Promise<void> {
    if (isatty(STDOUT)) return;
    for await (const line of this.#console.lines({ signal })) await printInTurn(`${line}\n`);
  }

  /** A line of ours among those of the guest. */
  say(line: string): void {
    if (process.stdin.isTTY) printBetween(line);
    else printError(`${line}\n`);
  }

  /** Gives the terminal back. Idempotent. */
  close(): void {
    const { stdin } = process;
    this.#endView();
    stdin.off('data', this.#onData);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }

  #typed(bytes: Buffer): void {
    if (!process.stdin.isTTY) {
      this.#send(bytes);
      return;
    }
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (this.#inMenu) {
        this.#choose(bytes[at] ?? 0);
        from = at + 1;
      } else if (bytes[at] === ESCAPE) {
        this.#send(bytes.subarray(from, at));
        from = at + 1;
        this.#inMenu = true;
        for (const line of MENU) this.say(line);
      }
    }
    this.#send(bytes.subarray(from));
  }

  #choose(key: number): void {
    this.#inMenu = false;
    const actions: Readonly<Record<string, () => void>> = {
      q: () => this.#actions.quit(),
      s: () => this.#actions.stop(),
      r: () => this.#actions.reset(),
      i: () => this.say(this.#actions.describe()),
      ']': () => this.#send(Uint8Array.of(ESCAPE)),
    };
    const action = key === ESCAPE ? actions[']'] : actions[String.fromCharCode(key)];
    action?.();
  }

  #send(bytes: Uint8Array): void {
    // The guest may have ended.
    if (bytes.length > 0) this.#console.write(bytes).catch(() => undefined);
  }
}
