import { PetriError } from '../errors.ts';
import { abortSignal, anyText, bytesOrText, checkArgument, checkOptions, oneOf } from '../options/index.ts';
import { harmlessText } from '../text/index.ts';
import { BootStream, isMatch, type SerialMatch } from './boot-stream.ts';
import { ByteHistory, type Gap } from './history/byte-history.ts';
import { checkWait } from './match/check-wait.ts';
import type { WaitOptions } from './match/wait-options.ts';
import { ConsoleLog } from './history/console-log.ts';
import { splitLines } from './text/lines.ts';
import type { SerialPattern } from './match/pattern.ts';
import { StreamBytes } from './text/stream-bytes.ts';
import { TextReader } from './text/text-reader.ts';
import { hostClock, type WaitClock } from './match/wait-clock.ts';
import { waitError } from './match/wait-error.ts';
import type { Wait } from './match/wait.ts';

/** Bytes of a console that are kept in memory, unless specified otherwise. */
const HISTORY_LIMIT = 5 * 1024 * 1024;

/** Bytes of a console that are kept on disk, unless specified otherwise: no guest may fill the disk. */
export const LOG_LIMIT = 64 * 1024 * 1024;

/** Bytes at the end of the stream that `tail` reads. */
const TAIL_BYTES = 16 * 1024;

/** Line ending of typed lines: line feed, carriage return as sent by the Enter key, or both. */
export type LineEnding = 'lf' | 'cr' | 'crlf';

const lineEndings: Readonly<Record<LineEnding, string>> = { lf: '\n', cr: '\r', crlf: '\r\n' };
const knownEnding = oneOf(Object.keys(lineEndings));

/** What a console shows of a boot at one moment. */
export interface ConsoleMark {
  /** Everything that was printed. */
  readonly bytes: Uint8Array;
  /** Characters of its text up to the cursor. */
  readonly position: number;
}

/** Options of a console. */
export interface SerialConsoleOptions {
  /** Name in the VM, and of its files. */
  readonly name: string;
  /** Folder for `<name>.log` and `<name>.timing`; without it the console is only in memory. */
  readonly directory?: string;
  /** Receives what the test types. */
  readonly input?: (bytes: Uint8Array) => void;
  /** Called before every use that needs a running VM, so that one that is booted lazily starts. */
  readonly onDemand?: () => Promise<unknown> | undefined;
  /** Clock for the time-outs of waits. @default the host's */
  readonly clock?: WaitClock;
  /**
   * Bytes to keep in memory: a quarter for the beginning, the rest for the end.
   *
   * @default 5 MiB
   */
  readonly historyLimit?: number;
  /**
   * Bytes to keep on disk, from the start of the stream. Later bytes are lost once memory has dropped them too.
   *
   * @default 64 MiB
   */
  readonly logLimit?: number;
  /** Called once, with a sentence, if the log stops before the stream does: a full disk, or its limit. */
  readonly onIncomplete?: (why: string) => void;
}

/**
 * A serial console: bytes in from a backend; text, lines and matches out to a test.
 *
 * The text is what a person sees: UTF-8 with U+FFFD for invalid bytes, without invisible controls, line ends as `\n`,
 * and each state of a redrawn line as a line of its own. The first and last bytes are kept in memory, and all of them
 * on disk, up to a limit. Whatever needs bytes that are in neither fails with `console-incomplete`. Nothing depends on
 * how the bytes were split when they arrived.
 */
export class SerialConsole {
  /** Name in the VM, such as `serial`. */
  readonly name: string;
  /**
   * Line ending of `sendLine` unless the call specifies one.
   *
   * @default 'lf', which TMKs and terminals of Linux accept; 'cr' on consoles of boards, whose firmware accepts nothing
   *   else
   */
  lineEnding: LineEnding = 'lf';
  readonly #log: ConsoleLog | undefined;
  readonly #history: ByteHistory;
  readonly #bytes: StreamBytes;
  #onIncomplete: ((why: string) => void) | undefined;
  readonly #input: ((bytes: Uint8Array) => void) | undefined;
  readonly #onDemand: (() => Promise<unknown> | undefined) | undefined;
  readonly #clock: WaitClock;
  #boot: BootStream;
  #closeReason: string | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #viewers = new Set<(bytes: Uint8Array) => void>();
  /** Waits that must read bytes before memory drops them. */
  readonly #waits = new Set<Wait>();
  readonly #catchUpAfter: number;
  #caughtUp = 0;
  #waking = false;
  #transcript: { readonly size: number; readonly closed: boolean; readonly text: string } | undefined;

  constructor(options: SerialConsoleOptions) {
    this.name = options.name;
    this.#log =
      options.directory === undefined
        ? undefined
        : new ConsoleLog(options.directory, options.name, options.logLimit ?? LOG_LIMIT);
    this.#history = new ByteHistory(options.historyLimit ?? HISTORY_LIMIT);
    this.#catchUpAfter = (options.historyLimit ?? HISTORY_LIMIT) / 4;
    this.#bytes = new StreamBytes(options.name, this.#history, this.#log);
    this.#onIncomplete = options.onIncomplete;
    this.#input = options.input;
    this.#onDemand = options.onDemand;
    this.#clock = options.clock ?? hostClock;
    this.#boot = new BootStream(this.#bytes, 0);
  }

  /** Receives bytes from the guest, which are copied. Ignored after `close`. */
  push(bytes: Uint8Array): void {
    if (this.#boot.closed || bytes.length === 0) return;
    this.#log?.append(bytes);
    if (this.#log === undefined || this.#log.failure !== undefined) this.#catchUp(bytes.length);
    this.#history.append(bytes);
    for (const viewer of this.#viewers) viewer(bytes);
    if (this.#log?.failure !== undefined) this.#reportIncomplete(this.#log);
    this.#wake();
  }

  /**
   * Shows the console to somebody as it is: calls back with all bytes that arrive from now on.
   *
   * @param viewer gets bytes that it must neither change nor keep
   * @returns what ends it
   */
  view(viewer: (bytes: Uint8Array) => void): () => void {
    this.#viewers.add(viewer);
    return () => this.#viewers.delete(viewer);
  }

  /**
   * Marks the end of the stream, with the reason as a clause such as `the VM halted: power-off`. Waits that have not
   * matched fail at once. Idempotent.
   */
  close(reason = 'it was closed'): void {
    if (this.#boot.closed) return;
    this.#closeReason = reason;
    this.#boot.close();
    this.#wake();
  }

  /**
   * Starts the stream of another boot of the same VM, which is all that waits search. Earlier output stays in the
   * history.
   *
   * @param mark of a console, whose output and cursor the boot begins with
   */
  reopen(mark?: ConsoleMark): void {
    this.close('the VM was started again');
    this.#closeReason = undefined;
    this.#boot = new BootStream(this.#bytes, this.#history.size);
    if (mark === undefined) return;
    this.push(mark.bytes);
    this.#boot.moveTo(mark.position);
  }

  /** What this boot shows, for `reopen`. @throws PetriError `console-incomplete` if a part of it is lost */
  mark(): ConsoleMark {
    const parts: Uint8Array[] = [];
    const { start, position } = this.#boot;
    for (let offset = start; offset < this.size; offset += parts.at(-1)?.length ?? 0) {
      parts.push(this.#bytes.bytesAt(offset).slice());
    }
    return { bytes: new Uint8Array(Buffer.concat(parts)), position };
  }

  /** Closes the console and its files for good. Idempotent. */
  dispose(reason?: string): void {
    this.close(reason);
    if (this.#log === undefined) return;
    this.#log.close();
    if (this.#log.size < this.size && this.#log.size > 0) this.#log.writeEnd(this.#lastBytes(this.#log.size));
  }

  /** Why the console is closed; `undefined` while it is open. */
  get closeReason(): string | undefined {
    return this.#closeReason;
  }

  /** Bytes received since the console was made. */
  get size(): number {
    return this.#history.size;
  }

  /** The file with all bytes, or with the first ones if the log is incomplete; undefined without a log or any bytes. */
  get logPath(): string | undefined {
    return this.size === 0 ? undefined : this.#log?.path;
  }

  /** Why the file is incomplete, if it is. */
  get logFailure(): Error | undefined {
    return this.#log?.failure;
  }

  /**
   * Waits until the guest has printed something, and moves the cursor to the end of the match. Everything after the
   * cursor counts, whether it was printed before the call or after. A string is matched literally. A RegExp is tried
   * whenever a line is complete, and on an unfinished line when no more of it arrives; `^` and `$` match at the start
   * and end of lines, and a match spans at most 64 Ki characters.
   *
   * @throws PetriError `wait-timeout` after the time-out or when the signal aborts, `console-closed` if the VM has
   * halted
   *   without printing it, `invalid-option` for an empty string, `pattern-too-expensive` for a pattern that exceeds the
   * step limit on one line, `console-incomplete` if bytes that it would have to search are lost, and what booting
   * throws
   */
  async waitFor(pattern: SerialPattern, options: WaitOptions = {}): Promise<SerialMatch> {
    checkWait(pattern, options);
    const boot = this.#boot;
    const { timeout, signal, from = 'cursor', consume = true } = options;
    const { wait, settle } = boot.wait(pattern, { timeout, signal, from, consume, clock: this.#clock });
    const advance = (): void => {
      wait.advance();
    };
    this.#listeners.add(advance);
    this.#waits.add(wait);
    try {
      wait.advance();
      if (!wait.settled) {
        this.#demand()?.catch((error: unknown) => {
          wait.reject(error);
        });
      }
      const outcome = await wait.outcome;
      if (isMatch(outcome)) return settle(outcome);
      const error = waitError({
        console: this.name,
        pattern,
        failure: outcome,
        closeReason: this.#closeReason,
        consumedBefore: from === 'cursor' && wasConsumed(boot, pattern),
        logFailure: this.logFailure?.message,
        transcriptTail: this.tail(),
        abortReason: outcome.end === 'abort' ? signal?.reason : undefined,
      });
      // The stack should start at the line that waited.
      Error.captureStackTrace(error, this.waitFor);
      throw error;
    } finally {
      this.#listeners.delete(advance);
      this.#waits.delete(wait);
    }
  }

  /**
   * The lines of this boot from its start, without their ends, as they become complete; the unfinished last one when
   * the console closes. Independent of `waitFor`. A line of more than 64 Ki characters is split.
   */
  async *lines(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<string, void, undefined> {
    checkOptions('lines()', options, { signal: abortSignal });
    const boot = this.#boot;
    await this.#demand();
    yield* splitLines({
      reader: boot.reader(),
      isClosed: () => boot.closed,
      signal: options.signal,
      changed: (signal) => this.#changed(signal),
    });
  }

  /** All text, of every boot. @throws PetriError `console-incomplete` if a part of it is lost */
  get transcript(): string {
    const { size } = this.#history;
    const { closed } = this.#boot;
    if (this.#transcript?.size !== size || this.#transcript.closed !== closed) {
      this.#transcript = { size, closed, text: this.#textFrom(0) };
    }
    return this.#transcript.text;
  }

  /** All bytes. @throws PetriError `console-incomplete` if a part of them is lost: `gap` */
  get raw(): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < this.size; offset += parts.at(-1)?.length ?? 0) {
      parts.push(this.#bytes.bytesAt(offset).slice());
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  /** The part of the stream that is lost: neither in memory nor on disk. */
  get gap(): Gap | undefined {
    return this.#bytes.gap;
  }

  /** The last lines of text, for messages: escaped, unlike `transcript`. */
  tail(lines = 20): string {
    const text = this.#textFrom(Math.max(this.#bytes.endInMemory, this.size - TAIL_BYTES));
    return harmlessText(text.trimEnd().split('\n').slice(-lines).join('\n'));
  }

  /**
   * Sends input to the guest.
   *
   * @throws PetriError `unsupported` for a console without input, `console-closed` after the VM has halted
   */
  async write(data: string | Uint8Array): Promise<void> {
    checkArgument('write()', 'data', data, bytesOrText);
    if (this.#input === undefined) {
      throw new PetriError(`console '${this.name}' accepts no input`, {
        code: 'unsupported',
        step: 'run',
        remedy: "list 'serial.write' in the test's `requires`, so that it is skipped where there is no input",
      });
    }
    await this.#demand();
    if (this.#boot.closed) {
      throw new PetriError(`cannot write to console '${this.name}': ${this.#closeReason ?? 'it was closed'}`, {
        code: 'console-closed',
        step: 'run',
        transcriptTail: this.tail(),
      });
    }
    this.#input(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /**
   * Sends a line, with the ending of the call or else `lineEnding`. Firmware such as EDK2 only accepts 'cr'.
   *
   * @throws PetriError `invalid-option`, and as `write` does
   */
  async sendLine(line = '', options: { readonly ending?: LineEnding } = {}): Promise<void> {
    checkArgument('sendLine()', 'line', line, anyText);
    checkOptions('sendLine()', options, { ending: knownEnding });
    const { ending = this.lineEnding } = options;
    checkArgument('sendLine()', 'lineEnding', ending, knownEnding);
    await this.write(line + lineEndings[ending]);
  }

  #demand(): Promise<unknown> | undefined {
    return this.#boot.closed ? undefined : this.#onDemand?.();
  }

  #textFrom(offset: number): string {
    const reader = new TextReader(this.#bytes, offset);
    const parts: string[] = [];
    for (let piece = reader.read(); piece !== undefined; piece = reader.read()) parts.push(piece);
    if (this.#boot.closed) parts.push(reader.finish());
    return parts.join('');
  }

  #lastBytes(from: number): Uint8Array {
    const parts: Uint8Array[] = [];
    for (
      let offset = Math.max(from, this.#bytes.endInMemory);
      offset < this.size;
      offset += parts.at(-1)?.length ?? 0
    ) {
      parts.push(this.#history.view(offset));
    }
    return Buffer.concat(parts);
  }

  #reportIncomplete({ size, failure }: ConsoleLog): void {
    const report = this.#onIncomplete;
    this.#onIncomplete = undefined;
    report?.(
      `console '${this.name}' is on disk up to byte ${size.toLocaleString('en')} only: ${failure?.message ?? 'it was closed'}`,
    );
  }

  /** Without a log on disk, waits read bytes before memory drops them: the guest is delayed, but no test fails. */
  #catchUp(arriving: number): void {
    if (this.size + arriving - this.#caughtUp < this.#catchUpAfter) return;
    this.#caughtUp = this.size;
    for (const wait of [...this.#waits]) wait.catchUp();
  }

  /** Bytes that arrive in one turn of the event loop are searched together. */
  #wake(): void {
    if (this.#waking || this.#listeners.size === 0) return;
    this.#waking = true;
    queueMicrotask(() => {
      this.#waking = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Resolves at the next push or close. */
  #changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#listeners.delete(done);
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#listeners.delete(done);
        reject(
          new PetriError(`reading the lines of console '${this.name}' was aborted`, {
            code: 'wait-timeout',
            step: 'run',
            cause: signal?.reason,
          }),
        );
      };
      this.#listeners.add(done);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted === true) abort();
    });
  }
}

/** Only for a hint. */
function wasConsumed(boot: BootStream, pattern: SerialPattern): boolean {
  try {
    return boot.consumed(pattern);
  } catch {
    return false;
  }
}
