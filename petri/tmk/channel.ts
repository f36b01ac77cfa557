import type { TmkEvent } from '../contract/index.ts';
import { COMMAND_SIZE, decodeCommand, type ReadGuestMemory } from './protocol.ts';
import { BoundedLog } from '../text/index.ts';
import type { PayloadLocator } from './locator.ts';

/** The command with which a TMK ended its run. */
export type TmkVerdict = Extract<TmkEvent, Record<'kind', 'complete' | 'panic'>>;

/** Receives what a channel reports. */
export interface TmkListener {
  /** Bytes for the console: UTF-8, whole lines. */
  readonly print: (bytes: Uint8Array) => void;
  /** Receives lines for the VM's log. */
  readonly log: (message: string) => void;
}

export const POINTER_BYTES = 8;
/** Events kept of one run; a guest may log endlessly. */
const MAX_EVENTS = 10_000;
/** Characters of messages kept of one run. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/**
 * The monitor's end of the TMK command channel: decodes commands, prints log messages as lines like tmk_vmm does, and
 * keeps the events and the one that decides the run.
 */
export class TmkChannel {
  readonly #events: TmkEvent[] = [];
  readonly #listener: TmkListener;
  readonly #locator: PayloadLocator | undefined;
  readonly #rejections: BoundedLog;
  #characters = 0;
  #full = false;
  #verdict: TmkVerdict | undefined;

  /** @param locator names the functions in panics of our runtime */
  constructor(listener: TmkListener, locator?: PayloadLocator) {
    this.#listener = listener;
    this.#locator = locator;
    this.#rejections = new BoundedLog('rejected TMK commands', listener.log);
  }

  /** What the guest sent so far, oldest first, up to 10,000 events and 4 Mi characters; the verdict is always kept. */
  get events(): readonly TmkEvent[] {
    return this.#events;
  }

  /** Set by the first Complete or Panic; later ones are ignored. */
  get verdict(): TmkVerdict | undefined {
    return this.#verdict;
  }

  /**
   * Decodes the command block at an address that the guest stored. Prints nothing yet: the caller may have to make
   * memory readable and decode again.
   */
  decode(pointer: number, read: ReadGuestMemory): TmkEvent {
    const block = read(pointer, COMMAND_SIZE);
    if (block === undefined) {
      return this.#rejected(`the command block at 0x${pointer.toString(16)} is outside of RAM`);
    }
    const event = decodeCommand(block, read);
    if (event.kind !== 'panic' || this.#locator === undefined) return event;
    return { ...event, message: this.#locator.nameOffsets(event.message) };
  }

  /** Processes a decoded command. */
  accept(event: TmkEvent): void {
    if (this.#verdict !== undefined) return;
    switch (event.kind) {
      case 'log':
        this.#listener.print(Buffer.from(`${event.message}\n`));
        break;
      case 'panic':
        this.#listener.print(Buffer.from(`panic: ${event.message} (${event.file}:${event.line})\n`));
        this.#verdict = event;
        break;
      case 'complete':
        this.#verdict = event;
        break;
      case 'rejected':
        this.#rejections.add(`TMK command rejected: ${event.message}`);
        break;
    }
    this.#keep(event);
  }

  /**
   * Processes a store to the command address, if all of the guest's memory can be read at once.
   *
   * @param bytes size of the store
   * @param pointer the value stored
   */
  store(bytes: number, pointer: number, read: ReadGuestMemory): void {
    if (bytes === POINTER_BYTES) this.accept(this.decode(pointer, read));
    else this.rejectStore(bytes);
  }

  /** A store to the command address that is too small for a pointer. */
  rejectStore(bytes: number): void {
    this.accept(this.#rejected(`a store of ${bytes} bytes to the command address, expected ${POINTER_BYTES}`));
  }

  #rejected(message: string): TmkEvent {
    return { kind: 'rejected', message };
  }

  #keep(event: TmkEvent): void {
    const size = 'message' in event ? event.message.length : 0;
    const decides = this.#verdict === event;
    if (!decides && (this.#events.length >= MAX_EVENTS || this.#characters + size > MAX_CHARACTERS)) {
      if (this.#full) return;
      this.#full = true;
      this.#events.push(
        this.#rejected(`more than ${MAX_EVENTS} events or ${MAX_CHARACTERS} characters: the rest is not kept`),
      );
      return;
    }
    this.#characters += size;
    this.#events.push(event);
  }
}
