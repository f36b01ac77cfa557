import type { SerialPattern } from './match/pattern.ts';
import { createMatcher } from './match/matcher.ts';
import { TextReader, type ByteSource } from './text/text-reader.ts';
import { Wait, type WaitFailure, type WaitMatch } from './match/wait.ts';
import type { WaitClock } from './match/wait-clock.ts';

/** The match as seen by a test. */
export interface SerialMatch {
  /** The text that matched. */
  readonly match: string;
  /** The captures of a RegExp's groups, from group 1 on. */
  readonly captures: readonly (string | undefined)[];
  /** The captures of its named groups. */
  readonly groups: Readonly<Record<string, string | undefined>>;
  /** What was printed between the previous match and this one; at most the last mebibyte. */
  readonly before: string;
}

export interface StreamWaitOptions {
  readonly timeout: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly from: 'cursor' | 'boot';
  readonly consume: boolean;
  readonly clock: WaitClock;
}

/** A position between two characters of the clean text. */
interface Cursor {
  /** Characters from the start of the boot. */
  readonly position: number;
  /** The character before it, '' at the start. */
  readonly preceding: string;
  /** Text after it that has been read already. */
  readonly pending: string;
  readonly reader: TextReader;
}

/**
 * The part of a console's stream that belongs to one boot of its VM, with the position up to which waits have consumed
 * it. A wait searches one boot only: output from before a reset cannot pass for output of the next boot.
 */
export class BootStream {
  readonly start: number;
  #end: number | undefined;
  #cursor: Cursor;
  readonly #bytes: ByteSource;

  constructor(bytes: ByteSource, start: number) {
    this.#bytes = bytes;
    this.start = start;
    this.#cursor = this.#startCursor();
  }

  get closed(): boolean {
    return this.#end !== undefined;
  }

  close(): void {
    this.#end ??= this.#bytes.size;
  }

  /** Characters up to the cursor. */
  get position(): number {
    return this.#cursor.position;
  }

  /** Moves the cursor to a position of text that is there. @throws PetriError `console-incomplete` */
  moveTo(position: number): void {
    const { reader } = this.#startCursor();
    let [passed, preceding, pending] = [0, '', ''];
    while (passed + pending.length < position) {
      passed += pending.length;
      preceding = pending.slice(-1) || preceding;
      const piece = reader.read();
      if (piece === undefined) break;
      pending = piece;
    }
    const within = Math.max(0, Math.min(position - passed, pending.length));
    preceding = pending.slice(0, within).slice(-1) || preceding;
    this.#cursor = { position: passed + within, preceding, pending: pending.slice(within), reader };
  }

  /** A reader of this boot only. */
  reader(): TextReader {
    const end = (): number => this.#end ?? this.#bytes.size;
    const bytes = this.#bytes;
    const source: ByteSource = {
      get size() {
        return end();
      },
      bytesAt: (offset) => bytes.bytesAt(offset).subarray(0, end() - offset),
    };
    return new TextReader(source, this.start);
  }

  /** Starts a search. `settle` must be called with its outcome. */
  wait(
    pattern: SerialPattern,
    options: StreamWaitOptions,
  ): { readonly wait: Wait; readonly settle: (match: WaitMatch) => SerialMatch } {
    const from = options.from === 'boot' ? this.#startCursor() : this.#cursor;
    const wait = new Wait({
      matcher: createMatcher(pattern, from.preceding),
      reader: from.reader.clone(),
      pending: from.pending,
      isClosed: () => this.closed,
      timeout: options.timeout,
      signal: options.signal,
      clock: options.clock,
    });
    return { wait, settle: (outcome) => this.#settle(from, outcome, options.consume) };
  }

  /** Whether a pattern matches in text that was consumed already. @throws PetriError `console-incomplete` */
  consumed(pattern: SerialPattern): boolean {
    const matcher = createMatcher(pattern, '');
    const reader = this.reader();
    for (let looked = 0; looked < this.#cursor.position;) {
      const piece = reader.read();
      if (piece === undefined) return false;
      const part = piece.slice(0, this.#cursor.position - looked);
      looked += piece.length;
      if (matcher.feed(part) !== undefined) return true;
    }
    return matcher.settle() !== undefined;
  }

  #startCursor(): Cursor {
    return { position: 0, preceding: '', pending: '', reader: this.reader() };
  }

  #settle(from: Cursor, { found, before, reader }: WaitMatch, consume: boolean): SerialMatch {
    const position = from.position + found.index + found.match.length;
    if (consume && position > this.#cursor.position) {
      const preceding = `${from.preceding}${before}${found.match}`.slice(-1);
      this.#cursor = { position, preceding, pending: found.rest, reader };
    }
    return { match: found.match, captures: found.captures, groups: found.groups, before };
  }
}

export function isMatch(outcome: WaitMatch | WaitFailure): outcome is WaitMatch {
  return 'found' in outcome;
}
