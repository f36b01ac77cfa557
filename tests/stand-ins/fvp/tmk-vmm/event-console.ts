import type { TmkEvent } from '../../../../petri/contract/index.ts';
import { SerialConsole } from '../../../../petri/serial/index.ts';

const decoder = new TextDecoder();

/**
 * Takes what a simulated realm prints, one push for each log message or panic, and hands it on as events in order: the
 * events that the backend keeps, and, where it keeps no more of a flood, messages made of what was printed.
 */
export class EventConsole extends SerialConsole {
  readonly #onEvent: (event: TmkEvent) => void;
  #printed: string[] = [];
  #events: readonly TmkEvent[] = [];
  #next = 0;
  #scheduled = false;

  constructor(onEvent: (event: TmkEvent) => void) {
    super({ name: 'tmk', historyLimit: 4096 });
    this.#onEvent = onEvent;
  }

  /** Where the backend keeps the events of the run that begins. */
  follow(events: readonly TmkEvent[]): void {
    this.#events = events;
    this.#flushSoon();
  }

  override push(bytes: Uint8Array): void {
    this.#printed.push(decoder.decode(bytes));
    this.#flushSoon();
  }

  // An event is kept after it was printed, in the same turn.
  #flushSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    for (; this.#next < this.#events.length; this.#next++) {
      const event = this.#events[this.#next];
      if (event === undefined || isEndOfRecord(event)) continue;
      if (event.kind === 'log' && this.#printed[0] !== `${event.message}\n`) this.#passOn();
      if (event.kind === 'log' || event.kind === 'panic') this.#printed.shift();
      this.#onEvent(event);
    }
    if (this.#events.some(isEndOfRecord)) this.#passOn();
  }

  #passOn(): void {
    const printed = this.#printed;
    this.#printed = [];
    for (const text of printed) this.#onEvent({ kind: 'log', message: text.replace(/\n$/, '') });
  }
}

function isEndOfRecord(event: TmkEvent): boolean {
  return event.kind === 'rejected' && event.message.endsWith('the rest is not kept');
}
