import type { Clock } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';
import { PrimeCell } from '../primecell.ts';
import { ByteQueue } from './byte-queue.ts';
import type { ByteSink } from './byte-sink.ts';

/** Offsets (DDI0183, 3.2). */
const Register = {
  DR: 0x0,
  RSR: 0x4,
  FR: 0x18,
  ILPR: 0x20,
  IBRD: 0x24,
  FBRD: 0x28,
  LCR_H: 0x2c,
  CR: 0x30,
  IFLS: 0x34,
  IMSC: 0x38,
  RIS: 0x3c,
  MIS: 0x40,
  ICR: 0x44,
  DMACR: 0x48,
} as const;
const Flag = { CTS: 1 << 0, DSR: 1 << 1, DCD: 1 << 2, RXFE: 1 << 4, RXFF: 1 << 6, TXFE: 1 << 7 } as const;
const Interrupt = { RX: 1 << 4, TX: 1 << 5, RT: 1 << 6 } as const;
const Control = { UARTEN: 1 << 0, LBE: 1 << 7, TXE: 1 << 8, RXE: 1 << 9 } as const;
/** UARTLCR_H.FEN. */
const FIFOS = 1 << 4;

/** Bits of the registers that only hold what is written to them. */
const storedBits: ReadonlyMap<number, number> = new Map([
  [Register.ILPR, 0xff],
  [Register.IBRD, 0xffff],
  [Register.FBRD, 0x3f],
  [Register.DMACR, 7],
]);
const LCR_H_BITS = 0xff;
const CR_BITS = 0xff87;
const IFLS_BITS = 0x3f;
const INTERRUPT_BITS = 0x7ff;

/** Part number and revision r1p5, whose FIFOs have 32 entries. */
const IDENTITY = { part: 0x011, revision: 3 } as const;
const FIFO_ENTRIES = 32;
/** UARTIFLS: the level of the receive FIFO from which on it interrupts. */
const triggers = [4, 8, 16, 24, 28];

/**
 * Guest time between an empty receive FIFO and the next bytes in it. A receiver that was never empty would fill a
 * guest's buffers at once, and a guest without flow control loses what it has no buffer for.
 */
const REFILL_NANOSECONDS = 100_000;

interface Pl011State {
  readonly fifo: Uint8Array;
  readonly waiting: Uint8Array;
  readonly refill: number | undefined;
  readonly stored: readonly (readonly [number, number])[];
  readonly lineControl: number;
  readonly control: number;
  readonly levels: number;
  readonly mask: number;
  readonly raw: number;
}

export interface Pl011Options {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  readonly output: ByteSink;
}

/**
 * A PL011 UART (DDI0183, r1p5). Its transmitter is infinitely fast. What it is to receive waits, in order, until the
 * guest has enabled the receiver and read what came before: nothing is lost, and there are no receive errors. The
 * receive time-out passes at once. It has no DMA and no modem signals but CTS, DSR and DCD, which are asserted.
 */
export class Pl011 extends PrimeCell implements Stateful<Pl011State> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #output: ByteSink;
  readonly #waiting = new ByteQueue();
  #fifo = new Uint8Array();
  readonly #refill: GuestAlarm;
  readonly #stored = new Map<number, number>();
  #lineControl = 0;
  #control: number = Control.TXE | Control.RXE;
  #levels = 0x12;
  #mask = 0;
  #raw = 0;

  constructor({ clock, interrupt, output }: Pl011Options) {
    super(IDENTITY);
    this.#clock = clock;
    this.#refill = new GuestAlarm(clock, () => {
      this.#fill();
    });
    this.#interrupt = interrupt;
    this.#output = output;
  }

  /** Bytes given to `receive` that the guest has not read. */
  get unread(): number {
    return this.#waiting.length + this.#fifo.length;
  }

  /** Bytes for the guest, any number. */
  receive(bytes: Uint8Array): void {
    this.#waiting.add(bytes);
    if (this.#refill.at === undefined && this.#fifo.length === 0) this.#fill();
  }

  protected readRegister(offset: number): number {
    switch (offset) {
      case Register.DR:
        return this.#readData();
      case Register.FR:
        return this.#flags();
      case Register.LCR_H:
        return this.#lineControl;
      case Register.CR:
        return this.#control;
      case Register.IFLS:
        return this.#levels;
      case Register.IMSC:
        return this.#mask;
      case Register.RIS:
        return this.#raw;
      case Register.MIS:
        return this.#raw & this.#mask;
    }
    return this.#stored.get(offset) ?? 0;
  }

  protected writeRegister(offset: number, value: number): void {
    switch (offset) {
      case Register.DR:
        this.#transmit(value & 0xff);
        return;
      case Register.LCR_H:
        this.#lineControl = value & LCR_H_BITS;
        this.#fill();
        return;
      case Register.CR:
        this.#control = value & CR_BITS;
        this.#fill();
        return;
      case Register.IFLS:
        this.#levels = value & IFLS_BITS;
        this.#update();
        return;
      case Register.IMSC:
        this.#mask = value & INTERRUPT_BITS;
        this.#drive();
        return;
      case Register.ICR:
        this.#raw &= ~value;
        if (this.#fifo.length > 0) this.#raw |= Interrupt.RT;
        this.#drive();
        return;
    }
    const bits = storedBits.get(offset);
    if (bits !== undefined) this.#stored.set(offset, value & bits);
  }

  save(): Pl011State {
    return {
      fifo: this.#fifo.slice(),
      waiting: this.#waiting.save(),
      refill: this.#refill.at,
      stored: [...this.#stored],
      lineControl: this.#lineControl,
      control: this.#control,
      levels: this.#levels,
      mask: this.#mask,
      raw: this.#raw,
    };
  }

  restore(state: Pl011State): void {
    this.#fifo = state.fifo.slice();
    this.#waiting.restore(state.waiting);
    this.#refill.set(state.refill);
    this.#stored.clear();
    for (const [offset, value] of state.stored) this.#stored.set(offset, value);
    this.#lineControl = state.lineControl;
    this.#control = state.control;
    this.#levels = state.levels;
    this.#mask = state.mask;
    this.#raw = state.raw;
    this.#drive();
  }

  #readData(): number {
    const byte = this.#fifo[0];
    if (byte === undefined) return 0;
    this.#fifo = this.#fifo.subarray(1);
    if (this.#fifo.length === 0 && this.#waiting.length > 0) {
      if (this.#buffered) this.#refill.set(this.#clock.now + REFILL_NANOSECONDS);
      else this.#fill();
    }
    this.#update();
    return byte;
  }

  #flags(): number {
    const fifo = this.#fifo.length;
    const received = fifo === 0 ? Flag.RXFE : fifo >= this.#entries ? Flag.RXFF : 0;
    return Flag.CTS | Flag.DSR | Flag.DCD | Flag.TXFE | received;
  }

  #transmit(byte: number): void {
    if ((this.#control & Control.LBE) === 0) this.#output.byte(byte);
    else if (this.unread < this.#entries) this.receive(Uint8Array.of(byte));
    // The transmitter passes the trigger level, which is an edge.
    this.#raw |= Interrupt.TX;
    this.#drive();
  }

  get #buffered(): boolean {
    return (this.#lineControl & FIFOS) !== 0;
  }

  get #entries(): number {
    return this.#buffered ? FIFO_ENTRIES : 1;
  }

  /** Moves what waits to the FIFO, if it is empty and the receiver enabled. */
  #fill(): void {
    this.#refill.set(undefined);
    const enabled = Control.UARTEN | Control.RXE;
    if (this.#fifo.length > 0 || this.#waiting.length === 0 || (this.#control & enabled) !== enabled) return;
    const fifo: number[] = [];
    while (fifo.length < this.#entries && this.#waiting.length > 0) {
      fifo.push(...this.#waiting.take(this.#entries - fifo.length));
    }
    this.#fifo = Uint8Array.from(fifo);
    this.#raw |= Interrupt.RX | Interrupt.RT;
    this.#update();
  }

  /** Clears the interrupts whose level the receive FIFO fell below (DDI0183, 2.8). */
  #update(): void {
    const trigger = this.#buffered ? (triggers[this.#levels >>> 3] ?? FIFO_ENTRIES) : 1;
    if (this.#fifo.length < trigger) this.#raw &= ~Interrupt.RX;
    if (this.#fifo.length === 0) this.#raw &= ~Interrupt.RT;
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set((this.#raw & this.#mask) !== 0);
  }
}
