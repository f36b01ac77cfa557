import type { Clock } from '../../../cpu/index.ts';
import type { GuestMemory, Stateful } from '../../device.ts';
import { type Frame, IIDR, PIDR2, PIDR2_OFFSET } from './frame.ts';
import { ItsCommands } from './its-commands.ts';
import { ENTRY_BYTES, ItsTables, type Table } from './its-tables.ts';
import type { Lpis } from './lpis.ts';

/** Registers of the control frame (IHI0069, 12.19). */
const Gits = {
  CTLR: 0x0,
  IIDR: 0x4,
  TYPER: 0x8,
  TYPER_HIGH: 0xc,
  CBASER: 0x80,
  CWRITER: 0x88,
  CREADR: 0x90,
  BASER: 0x100,
} as const;
const Ctlr = { Enabled: 1, Quiescent: 0x8000_0000 } as const;
/** GITS_TYPER: physical LPIs, entries of 8 bytes, 16 bits of EventID and DeviceID, PEs by their number. */
const TYPER = 1 | ((ENTRY_BYTES - 1) << 4) | (15 << 8) | (15 << 13);
/** GITS_TYPER: collections of 16 bits (CIL is zero), all in memory (HCC). */
const TYPER_HIGH = 0;
const Baser = {
  Valid: 0x8000_0000,
  /** Type and Entry_Size, in the high word. */
  TypeShift: 24,
  EntrySizeShift: 16,
  /** What software sets: Valid, cacheability and Physical_Address[47:32]. */
  WritableHigh: 0xb8e0_ffff,
  PageSizeShift: 8,
  Pages: 0xff,
} as const;
const PAGE_BYTES = [4096, 16_384, 65_536, 65_536] as const;
/** GITS_BASER0 is for devices, GITS_BASER1 for collections. */
const TYPES = [1, 4] as const;
const Cbaser = { Valid: 0x8000_0000, Pages: 0xff, Address: 0xffff_f000, AddressHigh: 0xf_ffff } as const;
/** GITS_CWRITER.Retry and GITS_CREADR.Stalled. */
const RETRY_OR_STALLED = 1;
const OFFSET_MASK = 0xf_ffe0;
const COMMAND_BYTES = 32;
const WORD = 2 ** 32;

/**
 * What one batch of commands may cost, in table entries, and guest time until the next for each such cost, in
 * nanoseconds: a queue may have 32,768 commands, and one of them may look at each of 57,344 LPIs.
 */
const BATCH = 64;
const BATCH_INTERVAL = 10_000;

/** State of an `Its`: plain data. Its tables are in guest memory. */
export interface ItsState {
  readonly enabled: boolean;
  readonly bases: readonly number[];
  readonly queue: readonly number[];
  readonly writer: number;
  readonly reader: number;
  readonly stalled: boolean;
  readonly next: number | undefined;
}

/**
 * An Interrupt Translation Service (IHI0069, chapter 5): makes MSIs of devices LPIs of PEs. Commands run in batches, of
 * which the next waits for an alarm, so that no queue holds the host up.
 */
export class Its implements Frame, Stateful<ItsState> {
  readonly #memory: GuestMemory;
  readonly #clock: Clock;
  readonly #commands: ItsCommands;
  #enabled = false;
  /** GITS_BASER0, GITS_BASER1, GITS_CBASER: low and high words. */
  readonly #bases = new Uint32Array(4);
  readonly #queue = new Uint32Array(2);
  #writer = 0;
  #reader = 0;
  #stalled = false;
  #alarm: ReturnType<Clock['setAlarm']> | undefined;

  /** @param lpis of each PE by its number */
  constructor(memory: GuestMemory, clock: Clock, lpis: readonly Lpis[]) {
    this.#memory = memory;
    this.#clock = clock;
    const table = (index: 0 | 1): Table => this.#table(index);
    this.#commands = new ItsCommands(new ItsTables(memory), {
      get devices() {
        return table(0);
      },
      get collections() {
        return table(1);
      },
      lpis,
    });
  }

  /** A write of an event to GITS_TRANSLATER by a device. */
  signal(device: number, event: number): void {
    if (this.#enabled) this.#commands.signal(device, event);
  }

  read(offset: number): number {
    switch (offset) {
      case Gits.CTLR:
        return this.#enabled ? Ctlr.Enabled : Ctlr.Quiescent;
      case Gits.IIDR:
        return IIDR;
      case Gits.TYPER:
        return TYPER;
      case Gits.TYPER_HIGH:
        return TYPER_HIGH;
      case Gits.CBASER:
      case Gits.CBASER + 4:
        return this.#queue[(offset - Gits.CBASER) / 4] ?? 0;
      case Gits.CWRITER:
        return this.#writer;
      case Gits.CREADR:
        return this.#reader + (this.#stalled ? RETRY_OR_STALLED : 0);
      case PIDR2_OFFSET:
        return PIDR2;
    }
    const word = baseWordOf(offset);
    if (word === undefined) return 0;
    const fixed = ((TYPES[word >> 1] ?? 0) << Baser.TypeShift) | ((ENTRY_BYTES - 1) << Baser.EntrySizeShift);
    const value = this.#bases[word] ?? 0;
    return (word & 1) === 0 ? value : (value | fixed) >>> 0;
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case Gits.CTLR:
        this.#enabled = (value & Ctlr.Enabled) !== 0;
        this.#run();
        return;
      case Gits.CBASER:
      case Gits.CBASER + 4:
        if (this.#enabled) return;
        this.#queue[(offset - Gits.CBASER) / 4] = value;
        this.#reader = 0;
        this.#stalled = false;
        return;
      case Gits.CWRITER:
        this.#writer = value & OFFSET_MASK;
        if ((value & RETRY_OR_STALLED) !== 0) this.#stalled = false;
        this.#run();
        return;
    }
    const word = baseWordOf(offset);
    if (word === undefined || this.#enabled) return;
    this.#bases[word] = (word & 1) === 0 ? value : value & Baser.WritableHigh;
  }

  writeByte(): void {
    // No register of this frame has bytes.
  }

  save(): ItsState {
    return {
      enabled: this.#enabled,
      bases: [...this.#bases],
      queue: [...this.#queue],
      writer: this.#writer,
      reader: this.#reader,
      stalled: this.#stalled,
      next: this.#alarm?.at,
    };
  }

  restore(state: ItsState): void {
    this.#enabled = state.enabled;
    this.#bases.set(state.bases);
    this.#queue.set(state.queue);
    this.#writer = state.writer;
    this.#reader = state.reader;
    this.#stalled = state.stalled;
    this.#setAlarm(state.next);
  }

  #setAlarm(at: number | undefined): void {
    if (this.#alarm !== undefined) this.#clock.cancel(this.#alarm);
    this.#alarm =
      at === undefined
        ? undefined
        : this.#clock.setAlarm(at, () => {
            this.#alarm = undefined;
            this.#run();
          });
  }

  /** Runs a batch of commands; nothing while the next waits for its alarm. */
  #run(): void {
    if (this.#alarm !== undefined) return;
    const [low = 0, high = 0] = this.#queue;
    const size = ((low & Cbaser.Pages) + 1) * 4096;
    const base = (high & Cbaser.AddressHigh) * WORD + ((low & Cbaser.Address) >>> 0);
    for (let cost = 0; this.#runnable(high, size);) {
      if (cost >= BATCH) {
        this.#setAlarm(this.#clock.now + Math.floor((cost / BATCH) * BATCH_INTERVAL));
        return;
      }
      const bytes = this.#memory.bytesAt(base + this.#reader, COMMAND_BYTES);
      if (bytes === undefined) {
        this.#stalled = true;
        return;
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, COMMAND_BYTES);
      cost += this.#commands.execute((word) => view.getUint32(word * 4, true));
      this.#reader = (this.#reader + COMMAND_BYTES) % size;
    }
  }

  #runnable(queueHigh: number, size: number): boolean {
    const valid = (queueHigh & Cbaser.Valid) !== 0 && this.#writer < size;
    return this.#enabled && valid && !this.#stalled && this.#reader !== this.#writer;
  }

  #table(index: 0 | 1): Table {
    const [low = 0, high = 0] = this.#bases.subarray(index * 2, index * 2 + 2);
    const pageBytes = PAGE_BYTES[((low >>> Baser.PageSizeShift) & 3) as 0 | 1 | 2 | 3];
    if ((high & Baser.Valid) === 0) return { address: 0, entries: 0 };
    // With pages of 64 KiB bits 15:12 are bits 51:48 of the address.
    const big = pageBytes === 65_536;
    const top = big ? ((low >>> 12) & 15) * 2 ** 48 : 0;
    const address = top + (high & 0xffff) * WORD + ((low & (big ? 0xffff_0000 : 0xffff_f000)) >>> 0);
    return { address, entries: Math.min(65_536, (((low & Baser.Pages) + 1) * pageBytes) / ENTRY_BYTES) };
  }
}

/** The word of GITS_BASER0 or GITS_BASER1 at an offset. */
function baseWordOf(offset: number): number | undefined {
  const word = (offset - Gits.BASER) / 4;
  return word >= 0 && word < 2 * TYPES.length ? word : undefined;
}

/** The translation frame. GITS_TRANSLATER takes writes of devices only, which say who they are: see `Its.signal`. */
export const translationFrame: Frame = {
  read: () => 0,
  write: () => undefined,
  writeByte: () => undefined,
};
