import { PetriError } from '../../errors.ts';
import { parseFrame, type AgentFrame } from './agent-protocol.ts';

/** Bytes of a line that are kept to recognise a frame; a longer line is not a frame. */
const MAX_LINE = 4096;

const LF = 0x0a;
const CR = 0x0d;

/** Frames of one exchange that are queued until they are read. An agent sends a few. */
const MAX_FRAMES = 64;

/** The answers to one command. */
export class Exchange {
  readonly nonce: string;
  readonly #frames: AgentFrame[] = [];
  readonly #close: () => void;
  #wanted: { readonly verbs: readonly string[]; readonly resolve: (frame: AgentFrame) => void } | undefined;

  constructor(nonce: string, close: () => void) {
    this.nonce = nonce;
    this.#close = close;
  }

  /** The next frame with one of these verbs; others before it are dropped. May never resolve. One call at a time. */
  next(...verbs: readonly string[]): Promise<AgentFrame> {
    return new Promise((resolve) => {
      this.#wanted = { verbs, resolve };
      this.#settle();
    });
  }

  take(frame: AgentFrame): void {
    if (this.#frames.length < MAX_FRAMES) this.#frames.push(frame);
    this.#settle();
  }

  /** Ends it: later frames are ignored. */
  close(): void {
    this.#close();
  }

  #settle(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
      if (!wanted.verbs.includes(frame.verb)) continue;
      this.#wanted = undefined;
      wanted.resolve(frame);
      return;
    }
  }
}

/** What an agent prints after its frame `begin`, byte for byte, until its next frame of that exchange. */
interface Capture {
  readonly nonce: string;
  readonly take: (bytes: Uint8Array) => void;
}

/**
 * Our end of the line to the agents: finds their frames in the output of the host's UART, and passes on what is between
 * them.
 *
 * Frames are recognised by their nonce; everything else is ignored. Line ends are restored to what was printed: each
 * terminal on the way may have added a carriage return, and the previous frame shows how many did.
 */
export class AgentLink {
  readonly #exchanges = new Map<string, Exchange>();
  readonly #onLine: (line: string) => void;
  #line: Uint8Array[] = [];
  #length = 0;
  #capture: Capture | undefined;
  #capturing = false;
  /** Whether part of the line has already been passed on. */
  #partial = false;
  /** Line end that belongs to the agent if a frame follows it. */
  #pendingEnd = false;
  #returns = 0;
  #arrived = 0;

  /** @param onLine called with every line that is not a frame, truncated if it is long */
  constructor(onLine: (line: string) => void = () => undefined) {
    this.#onLine = onLine;
  }

  /** Number of bytes that have arrived, to detect silence. */
  get arrived(): number {
    return this.#arrived;
  }

  receive(bytes: Uint8Array): void {
    this.#arrived += bytes.length;
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      this.#add(bytes.subarray(from, end));
      this.#endLine();
      from = end + 1;
    }
    this.#add(bytes.subarray(from));
  }

  /**
   * Starts to receive answers.
   *
   * @param capture receives the bytes between `begin` and the next frame; only one exchange at a time may capture
   */
  open(nonce: string, capture?: (bytes: Uint8Array) => void): Exchange {
    const exchange = new Exchange(nonce, () => {
      this.#exchanges.delete(nonce);
      if (this.#capture?.nonce === nonce) this.#endCapture();
    });
    this.#exchanges.set(nonce, exchange);
    if (capture !== undefined) {
      this.#endCapture();
      this.#capture = { nonce, take: capture };
    }
    return exchange;
  }

  #endCapture(): void {
    this.#capture = undefined;
    this.#capturing = false;
    this.#pendingEnd = false;
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#line.push(Uint8Array.from(bytes));
    this.#length += bytes.length;
    if (this.#length <= MAX_LINE) return;
    const { whole } = this.#takeLine();
    this.#pass(whole);
    this.#partial = true;
  }

  #endLine(): void {
    const { whole, text } = this.#takeLine();
    const frame = this.#partial ? undefined : parseFrame(text);
    if (frame !== undefined && this.#exchanges.has(frame.nonce)) this.#hear(frame, whole);
    else {
      const body = withoutReturns(whole, this.#returns);
      this.#pass(body);
      this.#pendingEnd = this.#capturing;
      if (!this.#partial) this.#onLine(text);
    }
    this.#partial = false;
  }

  #takeLine(): { readonly whole: Uint8Array; readonly text: string } {
    const whole = Buffer.concat(this.#line);
    this.#line = [];
    this.#length = 0;
    return { whole, text: whole.toString('latin1') };
  }

  #hear(frame: AgentFrame, line: Uint8Array): void {
    if (this.#capture?.nonce === frame.nonce) {
      if (frame.verb === 'begin') {
        this.#pendingEnd = false;
        this.#capturing = true;
        this.#returns = countReturns(line);
      } else this.#endCapture();
    }
    this.#exchanges.get(frame.nonce)?.take(frame);
  }

  #pass(bytes: Uint8Array): void {
    if (!this.#capturing) return;
    if (this.#pendingEnd) this.#capture?.take(Uint8Array.of(LF));
    this.#pendingEnd = false;
    if (bytes.length > 0) this.#capture?.take(bytes);
  }
}

function countReturns(line: Uint8Array): number {
  let count = 0;
  while (count < line.length && line[line.length - 1 - count] === CR) count += 1;
  return count;
}

function withoutReturns(line: Uint8Array, count: number): Uint8Array {
  return line.subarray(0, line.length - Math.min(count, countReturns(line)));
}

/** Waits for a promise with a deadline. @throws PetriError `wait-timeout`, or the signal's reason */
export async function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const overdue = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new PetriError(`${what} did not come within ${(milliseconds / 1000).toFixed(1)} s`, {
          code: 'wait-timeout',
          step: 'run',
          remedy: 'see the log of the host console; if this machine is only slow, set PETRI_SLOW_FACTOR',
        }),
      );
    }, milliseconds);
    onAbort = (): void => {
      reject(signal?.reason instanceof Error ? signal.reason : new Error(String(signal?.reason)));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
  try {
    return await Promise.race([promise, overdue]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
  }
}
