import type { TmkEvent, TmkImage } from '../../contract/index.ts';
import { nameImageOffsets } from '../../tmk/index.ts';
import { readFatalError, readPanic, readRejection, readVerdict, type TmkVmmVerdict } from './tmk-vmm-events.ts';

/** First line of an event (tracing-subscriber, `fmt::format::Pretty` without source location). */
const HEADER =
  /^ {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z +(TRACE|DEBUG|INFO|WARN|ERROR) +([\w:]{1,100}): (.*)$/s;

/** The spans of an event, one per line after it. */
const SPAN = /^ {4}in [\w:]{1,200}(?: with .*)?$/;

/** Colours, which the formatter writes unless told not to. */
const COLOUR = /\u001b\[[\d;]{0,20}m/g;

/** Longest line that is parsed as one; the rest of a longer one is treated as another. */
const MAX_LINE = 128 * 1024;

/** Events, and characters of their messages, that are kept of one run. */
const MAX_EVENTS = 10_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Characters of one event that is parsed as a whole. */
const MAX_FIELDS = 128 * 1024;

/** The last line of a run that ended regularly with a failed test (anyhow's report from `main`). */
const FAILED = 'Error: some tests failed';

export interface TmkVmmReport {
  /** From the last event of tmk_vmm itself; no output of the guest can follow it. */
  readonly verdict?: TmkVmmVerdict;
  /** Why tmk_vmm could not continue the guest, in its own words. */
  readonly fatalError?: string;
  /** Whether the output ends like that of a run with a failed test, and not with another error. */
  readonly saysFailed: boolean;
  /** The last line that is not empty. */
  readonly lastLine: string;
}

export interface TmkVmmReport {
  /** From the last event of tmk_vmm itself; no output of the guest can follow it. */
  readonly verdict?: TmkVmmVerdict;
  /** Whether the output ends like that of a run with a failed test, and not with another error. */
  readonly saysFailed: boolean;
  /** The last line that is not empty. */
  readonly lastLine: string;
}

type Kind = 'log' | 'panic' | 'monitor' | 'test' | 'other';

interface OpenEvent {
  readonly kind: Kind;
  /** Whether tmk_vmm prints in colour. */
  readonly coloured: boolean;
  /** Everything after the target, lines joined. Not kept for log messages. */
  text: string;
  /** Index in the events of the log message that grows with this one. */
  readonly index: number;
}

/**
 * Parses the output of OpenVMM's tmk_vmm into the guest's events, as it arrives.
 *
 * Messages of the guest may have any number of lines and any text, including lines that look like tmk_vmm's own. So
 * nothing here decides a verdict: tmk_vmm's exit code does, and this explains it. The result depends only on the bytes,
 * not on how they were split. Never throws.
 */
export class TmkVmmLog {
  readonly #print: (text: string) => void;
  readonly #note: (message: string) => void;
  readonly #image: Pick<TmkImage, 'symbolAt'> | undefined;
  readonly #events: TmkEvent[] = [];
  readonly #decoder = new TextDecoder();
  #characters = 0;
  #full = false;
  #line = '';
  /** Whether the next text continues a line that was split. */
  #inLine = false;
  #open: OpenEvent | undefined;
  /** Empty lines that end an event, unless more of it follows. */
  #blank = 0;
  #verdict: TmkVmmVerdict | undefined;
  #fatalError: string | undefined;
  #lastLine = '';

  /**
   * @param print receives what the guest logs, as the simulated realm prints it
   * @param note receives other noteworthy output, a line at a time
   * @param image names the functions in panics of our runtime
   */
  constructor(
    print: (text: string) => void,
    note: (message: string) => void = () => undefined,
    image?: Pick<TmkImage, 'symbolAt'>,
  ) {
    this.#print = print;
    this.#note = note;
    this.#image = image;
  }

  /** What the guest has sent, except the completion, which tmk_vmm does not print. */
  get events(): readonly TmkEvent[] {
    return this.#events;
  }

  push(bytes: Uint8Array): void {
    this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  finish(): TmkVmmReport {
    this.#take(this.#decoder.decode());
    if (this.#line !== '' || this.#inLine) this.#takeLine(this.#line, true);
    this.#line = '';
    this.#close();
    return {
      ...(this.#verdict === undefined ? {} : { verdict: this.#verdict }),
      ...(this.#fatalError === undefined ? {} : { fatalError: this.#fatalError }),
      saysFailed: this.#lastLine === FAILED,
      lastLine: this.#lastLine,
    };
  }

  #take(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#takeLong(this.#line + text.slice(from, end));
      this.#takeLine(this.#line, true);
      this.#line = '';
      from = end + 1;
    }
    this.#takeLong(this.#line + text.slice(from));
  }

  /** Splits a long line, always at the same places, whatever the chunks are. */
  #takeLong(line: string): void {
    let rest = line;
    while (rest.length > MAX_LINE) {
      this.#takeLine(rest.slice(0, MAX_LINE), false);
      rest = rest.slice(MAX_LINE);
    }
    this.#line = rest;
  }

  /** @param last whether the line ends here, or continues */
  #takeLine(line: string, last: boolean): void {
    const isRest = this.#inLine;
    this.#inLine = !last;
    const end = last ? '\n' : '';
    if (isRest) {
      this.#append(line, end);
      return;
    }
    const plain = line.includes('\u001b') ? line.replaceAll(COLOUR, '') : line;
    if (plain.trim() !== '') this.#lastLine = plain.slice(0, 1000);
    const raw = HEADER.exec(line);
    const [, level, target, fields] = raw ?? HEADER.exec(plain) ?? [];
    if (level !== undefined && target !== undefined && fields !== undefined) {
      this.#close();
      this.#begin({ level, target, fields, coloured: raw === null }, end);
    } else if (line === '') {
      if (this.#open !== undefined) this.#blank += 1;
    } else this.#continue(line, plain, end);
  }

  #begin(
    header: { readonly level: string; readonly target: string; readonly fields: string; readonly coloured: boolean },
    end: string,
  ): void {
    const { fields, coloured } = header;
    const kind = kindOf(header.target, header.level);
    this.#open = { kind, coloured, text: kind === 'log' || kind === 'other' ? '' : fields, index: this.#events.length };
    if (kind !== 'log') return;
    this.#keep({ kind: 'log', message: fields });
    this.#print(`${fields}${end}`);
  }

  #continue(line: string, plain: string, end: string): void {
    const open = this.#open;
    const isLog = open?.kind === 'log';
    // Spans follow their event immediately.
    if (open !== undefined && this.#blank === 0 && SPAN.test(plain)) return;
    if (open === undefined || (this.#blank > 0 && !isLog)) {
      // Events of tmk_vmm itself have no empty lines, so this is a message of its run-time library.
      this.#close();
      this.#note(`tmk_vmm: ${plain.slice(0, 1000)}`);
      return;
    }
    const gap = '\n'.repeat(this.#blank);
    this.#blank = 0;
    if (isLog) {
      this.#grow(open.index, '\n');
      this.#append(`${gap}${open.coloured ? plain : line}`, end);
    } else this.#append(`\n${plain}`, end);
  }

  #append(text: string, end: string): void {
    const open = this.#open;
    if (open?.kind === 'log') {
      this.#grow(open.index, text);
      this.#print(`${text}${end}`);
    } else if (open !== undefined && open.kind !== 'other' && open.text.length + text.length < MAX_FIELDS) {
      open.text += text;
    }
  }

  /** Ends the open event: the formatter adds one empty line after it, other empty lines belong to the message. */
  #close(): void {
    const open = this.#open;
    const blank = this.#blank;
    this.#open = undefined;
    this.#blank = 0;
    switch (open?.kind) {
      case 'log':
        if (blank <= 1) return;
        this.#grow(open.index, '\n'.repeat(blank - 1));
        this.#print('\n'.repeat(blank - 1));
        return;
      case 'panic': {
        const read = readPanic(open.text);
        if (read === undefined) return;
        const message = this.#image === undefined ? read.message : nameImageOffsets(read.message, this.#image);
        const panic = { ...read, message };
        this.#keep(panic);
        this.#print(`panic: ${panic.message} (${panic.file}:${panic.line})\n`);
        return;
      }
      case 'monitor': {
        const rejected = readRejection(open.text);
        if (rejected !== undefined) this.#keep(rejected);
        this.#fatalError = readFatalError(open.text) ?? this.#fatalError;
        return;
      }
      case 'test':
        this.#verdict = readVerdict(open.text);
        return;
      case 'other':
      case undefined:
        return;
    }
  }

  #keep(event: TmkEvent): void {
    const size = 'message' in event ? event.message.length : 0;
    if (event.kind === 'panic' || (this.#events.length < MAX_EVENTS && this.#characters + size <= MAX_CHARACTERS)) {
      this.#characters += size;
      this.#events.push(event);
    } else if (!this.#full) {
      this.#full = true;
      this.#events.push({ kind: 'rejected', message: FULL });
    }
  }

  /** Appends text to a log message. */
  #grow(index: number, more: string): void {
    const event = this.#events[index];
    if (event?.kind !== 'log' || this.#characters + more.length > MAX_CHARACTERS) return;
    this.#characters += more.length;
    this.#events[index] = { kind: 'log', message: event.message + more };
  }
}

const FULL = `more than ${MAX_EVENTS} events or ${MAX_CHARACTERS} characters: the rest is not kept`;

/** Kind of an event, by its target (tmk/tmk_vmm/src/run.rs); the guest's target is `tmk`, its panics are errors. */
function kindOf(target: string, level: string): Kind {
  if (target === 'tmk') return level === 'ERROR' ? 'panic' : 'log';
  if (target === 'test') return 'test';
  return target.startsWith('tmk_vmm') ? 'monitor' : 'other';
}
