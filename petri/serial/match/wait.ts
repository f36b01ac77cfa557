import { performance } from 'node:perf_hooks';
import { EngineNotLoaded, loadEngine } from './counted-exec.ts';
import type { Found, Matcher } from './pattern.ts';
import type { TextReader } from '../text/text-reader.ts';
import { duration, type WaitClock, type WaitTimer } from './wait-clock.ts';

/** Milliseconds of the wait's clock without a byte after which an unfinished line counts as a prompt. */
const SETTLE = 50;

/** Bytes to search before yielding to other work of this process. */
const TURN = 2 * 1024 * 1024;

/** Characters before a match, or at the end of a failed search, that are kept. */
const KEPT = 1024 * 1024;

/** A match, and the position after it. */
export interface WaitMatch {
  readonly found: Found;
  readonly before: string;
  /** After everything that was read; `found.rest` precedes it. */
  readonly reader: TextReader;
}

export type WaitEnd = 'timeout' | 'abort' | 'closed';

/** A search that ended without a match. */
export interface WaitFailure {
  readonly end: WaitEnd;
  /** The text that was searched, or its last part. */
  readonly seen: string;
  readonly seenLength: number;
  /** How long it waited, in words: its time-out, or the time until its signal. */
  readonly lasted: string;
}

export interface WaitRequest {
  readonly matcher: Matcher;
  readonly reader: TextReader;
  /** Text to search before that of the reader. */
  readonly pending: string;
  readonly isClosed: () => boolean;
  readonly timeout: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly clock: WaitClock;
}

/** One search in a console's stream, continued as bytes arrive until it is settled. */
export class Wait {
  readonly outcome: Promise<WaitMatch | WaitFailure>;
  readonly #request: WaitRequest;
  readonly #started = performance.now();
  readonly #seen: string[] = [];
  #seenLength = 0;
  #droppedLength = 0;
  #settled = false;
  #resolve: (outcome: WaitMatch | WaitFailure) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #deadline: WaitTimer | undefined;
  #quiet: WaitTimer | undefined;
  #resting: NodeJS.Timeout | undefined;
  /** Set while the engine that counts steps is being loaded. */
  #loading: Promise<void> | undefined;
  readonly #onAbort = (): void => {
    this.#fail('abort');
  };

  constructor(request: WaitRequest) {
    this.#request = request;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (request.timeout !== undefined && Number.isFinite(request.timeout)) {
      this.#deadline = request.clock.start(request.timeout, () => {
        this.#expire();
      });
    }
    request.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Everything that has arrived by now counts, however long searching it takes. */
  #expire(): void {
    this.catchUp();
    this.#settle();
    if (this.#loading === undefined) this.#fail('timeout');
    else void this.#loading.then(() => this.#expire());
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** To be called again after each step, which may have changed it. */
  #isIdle(): boolean {
    return this.#settled || this.#loading !== undefined;
  }

  #isBehind(): boolean {
    return this.#request.matcher.behind;
  }

  /** Searches what has arrived, unless the last search was expensive: then it yields to the guest first. */
  advance(): void {
    if (this.#resting === undefined) this.#look();
  }

  /** Searches everything that has arrived, at any cost, since it may be lost soon. */
  catchUp(): void {
    while (this.#look());
  }

  /** Ends the wait with another error, such as that of a failed boot. */
  reject(error: unknown): void {
    if (this.#settled) return;
    this.#dispose();
    this.#reject(error);
  }

  /** @returns whether there is more to search now */
  #look(): boolean {
    if (this.#isIdle()) return false;
    const began = performance.now();
    let more = false;
    try {
      more = this.#search();
    } catch (error) {
      this.#interrupted(error);
    }
    if (this.#isIdle()) return false;
    if (this.#request.signal?.aborted === true) this.#fail('abort');
    else this.#rest(performance.now() - began, more);
    return more && !this.#settled;
  }

  /** Repeats the search when its steps can be counted. */
  #interrupted(error: unknown): void {
    if (!(error instanceof EngineNotLoaded)) {
      this.reject(error);
      return;
    }
    this.#loading ??= loadEngine().then(
      () => {
        this.#loading = undefined;
        this.#look();
      },
      (reason: unknown) => {
        this.#loading = undefined;
        this.reject(reason);
      },
    );
  }

  /** @returns whether more has arrived than one turn may search */
  #search(): boolean {
    const { matcher, reader, pending, isClosed } = this.#request;
    if (this.#seenLength === 0 && pending !== '' && this.#feed(pending)) return false;
    if (this.#isBehind() && this.#tryAgain()) return false;
    if (this.#isBehind()) return true;
    // Queried before reading, so that a close in between is noticed next time.
    const closed = isClosed();
    for (let looked = 0; looked < TURN;) {
      const piece = reader.read();
      if (piece === undefined) {
        if (closed) return this.#finish();
        if (matcher.unsettled) this.#watchForQuiet();
        return false;
      }
      looked += piece.length + 1;
      if (this.#feed(piece)) return false;
      if (this.#isBehind()) return true;
    }
    return true;
  }

  /** @returns whether there is more to search before the end */
  #finish(): boolean {
    const { matcher, reader } = this.#request;
    if (this.#feed(reader.finish())) return false;
    if (this.#isBehind()) return true;
    const found = matcher.settle();
    if (found === undefined) this.#fail('closed');
    else this.#succeed(found);
    return false;
  }

  #feed(piece: string): boolean {
    if (piece === '') return false;
    this.#remember(piece);
    const found = this.#request.matcher.feed(piece);
    if (found !== undefined) this.#succeed(found);
    return found !== undefined;
  }

  #tryAgain(): boolean {
    const found = this.#request.matcher.feed('');
    if (found !== undefined) this.#succeed(found);
    return found !== undefined;
  }

  #remember(piece: string): void {
    this.#seen.push(piece);
    this.#seenLength += piece.length;
    if (this.#seenLength - this.#droppedLength < 2 * KEPT) return;
    const kept = this.#seen.join('').slice(-KEPT);
    this.#seen.splice(0, this.#seen.length, kept);
    this.#droppedLength = this.#seenLength - kept.length;
  }

  #watchForQuiet(): void {
    if (this.#quiet !== undefined) {
      this.#quiet.refresh();
      return;
    }
    const { clock } = this.#request;
    this.#quiet = clock.start(SETTLE, () => {
      const seenLength = this.#seenLength;
      const settle = (): void => {
        if (this.#resting !== undefined) this.#quiet?.refresh();
        else if (this.#seenLength === seenLength) this.#settle();
      };
      if (clock.behind) setImmediate(settle);
      else {
        this.advance();
        settle();
      }
    });
  }

  #settle(): void {
    if (this.#isIdle() || this.#isBehind()) return;
    try {
      const found = this.#request.matcher.settle();
      if (found !== undefined) this.#succeed(found);
    } catch (error) {
      this.#interrupted(error);
    }
  }

  /** Limits searches to half of this thread's time. */
  #rest(spent: number, more: boolean): void {
    if (spent < 2 && !more) return;
    this.#resting ??= setTimeout(() => {
      this.#resting = undefined;
      this.#look();
    }, spent);
  }

  #succeed(found: Found): void {
    this.#dispose();
    const text = this.#seen.join('');
    const end = Math.max(0, found.index - this.#droppedLength);
    this.#resolve({ found, before: text.slice(0, end), reader: this.#request.reader });
  }

  #fail(end: WaitEnd): void {
    if (this.#settled) return;
    this.#dispose();
    this.#resolve({
      end,
      seen: this.#seen.join(''),
      seenLength: this.#seenLength,
      lasted:
        end === 'timeout'
          ? this.#request.clock.describe(this.#request.timeout ?? 0)
          : duration(performance.now() - this.#started),
    });
  }

  #dispose(): void {
    this.#settled = true;
    this.#deadline?.cancel();
    this.#quiet?.cancel();
    clearTimeout(this.#resting);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }
}
