import type { Clock } from '../../../cpu/index.ts';
import { type AccessBytes, type Device, type InterruptLine, type Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';
import { ByteQueue } from './byte-queue.ts';
import type { ByteSink } from './byte-sink.ts';

/** Registers (TL16C550C, 7.1), whose first two are the divisor while LCR.DLAB is set. */
const Register = { RBR: 0, IER: 1, FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const;
const Ier = { RECEIVED: 1, EMPTY: 2 } as const;
const Iir = { NONE: 1, EMPTY: 2, RECEIVED: 4, TIMEOUT: 0xc, FIFOS: 0xc0 } as const;
const Fcr = { ENABLE: 1, CLEAR_RECEIVER: 2 } as const;
const LCR_DLAB = 0x80;
const Mcr = { OUT2: 8, LOOP: 0x10 } as const;
const MCR_BITS = 0x1f;
const Lsr = { DATA: 1, THRE: 0x20, TEMT: 0x40 } as const;
/** MSR: CTS, DSR and DCD are asserted. */
const MODEM = 0xb0;
const FIFO_ENTRIES = 16;
const triggers = [1, 4, 8, 14];
/** As in the PL011: a receiver that is never empty would fill a guest's buffers at once. */
const REFILL_NANOSECONDS = 100_000;

interface Uart16550State {
  readonly fifo: Uint8Array;
  readonly waiting: Uint8Array;
  readonly refill: number | undefined;
  readonly registers: readonly number[];
  readonly divisor: readonly [number, number];
  readonly fifos: number;
  readonly emptied: boolean;
}

export interface Uart16550Options {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  readonly output: ByteSink;
  /** Registers are 2 to the power of this bytes apart. @default 0 */
  readonly shift?: number;
}

/**
 * A 16550A UART (TL16C550C), `ns16550a` in device trees. Its transmitter is infinitely fast; what it is to receive
 * waits until the guest has read what came before, so that there are no overruns.
 */
export class Uart16550 implements Device, Stateful<Uart16550State> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #output: ByteSink;
  readonly #shift: number;
  readonly #refill: GuestAlarm;
  readonly #waiting = new ByteQueue();
  #fifo = new Uint8Array();
  /** IER, LCR, MCR and SCR by their numbers. */
  readonly #registers = new Uint8Array(8);
  #divisor: [number, number] = [0, 0];
  /** FCR. */
  #fifos = 0;
  /** The interrupt of an empty transmitter, until IIR is read. */
  #emptied = false;

  constructor({ clock, interrupt, output, shift = 0 }: Uart16550Options) {
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#output = output;
    this.#shift = shift;
    this.#refill = new GuestAlarm(clock, () => {
      this.#fill();
    });
  }

  /** Bytes given to `receive` that the guest has not read. */
  get unread(): number {
    return this.#waiting.length + this.#fifo.length;
  }

  /** Bytes for the guest, any number. */
  receive(bytes: Uint8Array): void {
    this.#waiting.add(bytes);
    if (this.#refill.at === undefined) this.#fill();
  }

  read(offset: number): number {
    const number = offset >>> this.#shift;
    if (offset !== number << this.#shift) return 0;
    if (this.#dividing && number < 2) return this.#divisor[number] ?? 0;
    switch (number) {
      case Register.RBR:
        return this.#readData();
      case Register.FCR:
        return this.#identify();
      case Register.LSR:
        return Lsr.THRE | Lsr.TEMT | (this.#fifo.length > 0 ? Lsr.DATA : 0);
      case Register.MSR:
        return this.#looped ? loopedModem(this.#registers[Register.MCR] ?? 0) : MODEM;
      default:
        return this.#registers[number] ?? 0;
    }
  }

  write(offset: number, _: AccessBytes, low: number): void {
    const number = offset >>> this.#shift;
    if (offset !== number << this.#shift) return;
    const value = low & 0xff;
    if (this.#dividing && number < 2) {
      this.#divisor[number] = value;
      return;
    }
    switch (number) {
      case Register.RBR:
        this.#transmit(value);
        break;
      case Register.IER:
        // Enabling the interrupt of an empty transmitter signals it.
        if ((value & ~(this.#registers[number] ?? 0) & Ier.EMPTY) !== 0) this.#emptied = true;
        this.#registers[number] = value & 15;
        break;
      case Register.FCR:
        if ((value & Fcr.CLEAR_RECEIVER) !== 0) this.#clear();
        this.#fifos = (value & Fcr.ENABLE) === 0 ? 0 : value & 0xc9;
        break;
      case Register.MCR:
        this.#registers[number] = value & MCR_BITS;
        break;
      case Register.LCR:
      case Register.SCR:
        this.#registers[number] = value;
        break;
    }
    this.#drive();
  }

  save(): Uart16550State {
    return {
      fifo: this.#fifo.slice(),
      waiting: this.#waiting.save(),
      refill: this.#refill.at,
      registers: [...this.#registers],
      divisor: [...this.#divisor],
      fifos: this.#fifos,
      emptied: this.#emptied,
    };
  }

  restore({ fifo, waiting, refill, registers, divisor, fifos, emptied }: Uart16550State): void {
    this.#fifo = fifo.slice();
    this.#waiting.restore(waiting);
    this.#refill.set(refill);
    this.#registers.set(registers);
    this.#divisor = [...divisor];
    this.#fifos = fifos;
    this.#emptied = emptied;
    this.#drive();
  }

  get #dividing(): boolean {
    return ((this.#registers[Register.LCR] ?? 0) & LCR_DLAB) !== 0;
  }

  get #looped(): boolean {
    return ((this.#registers[Register.MCR] ?? 0) & Mcr.LOOP) !== 0;
  }

  get #entries(): number {
    return this.#fifos === 0 ? 1 : FIFO_ENTRIES;
  }

  #readData(): number {
    const byte = this.#fifo[0];
    if (byte === undefined) return 0;
    this.#fifo = this.#fifo.subarray(1);
    if (this.#fifo.length === 0 && this.#waiting.length > 0) {
      if (this.#fifos === 0) this.#fill();
      else this.#refill.set(this.#clock.now + REFILL_NANOSECONDS);
    }
    this.#drive();
    return byte;
  }

  #transmit(byte: number): void {
    if (!this.#looped) this.#output.byte(byte);
    else if (this.unread < this.#entries) this.receive(Uint8Array.of(byte));
    this.#emptied = true;
  }

  /** Clears what was received; what waits has not arrived, so it is kept. */
  #clear(): void {
    this.#fifo = new Uint8Array();
    if (this.#waiting.length > 0) this.#refill.set(this.#clock.now + REFILL_NANOSECONDS);
  }

  #fill(): void {
    this.#refill.set(undefined);
    if (this.#fifo.length > 0 || this.#waiting.length === 0) return;
    this.#fifo = new Uint8Array(this.#waiting.take(this.#entries));
    this.#drive();
  }

  /** Reads IIR, which clears the interrupt of an empty transmitter if it is that one. */
  #identify(): number {
    const cause = this.#cause;
    if (cause === Iir.EMPTY) {
      this.#emptied = false;
      this.#drive();
    }
    return cause | (this.#fifos === 0 ? 0 : Iir.FIFOS);
  }

  get #cause(): number {
    const enabled = this.#registers[Register.IER] ?? 0;
    if ((enabled & Ier.RECEIVED) !== 0 && this.#fifo.length > 0) {
      const trigger = this.#fifos === 0 ? 1 : (triggers[this.#fifos >>> 6] ?? 1);
      return this.#fifo.length >= trigger ? Iir.RECEIVED : Iir.TIMEOUT;
    }
    return (enabled & Ier.EMPTY) !== 0 && this.#emptied ? Iir.EMPTY : Iir.NONE;
  }

  #drive(): void {
    this.#interrupt.set(this.#cause !== Iir.NONE);
  }
}

/** In loopback, DTR, RTS, OUT1 and OUT2 are the modem's signals DSR, CTS, RI and DCD. */
function loopedModem(control: number): number {
  const bits = [
    [2, 0x10],
    [1, 0x20],
    [4, 0x40],
    [Mcr.OUT2, 0x80],
  ] as const;
  return bits.reduce((value, [output, input]) => value | ((control & output) === 0 ? 0 : input), 0);
}
