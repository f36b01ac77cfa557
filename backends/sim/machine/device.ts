/** Bytes of an access to a device, which is naturally aligned. */
export type AccessBytes = 1 | 2 | 4 | 8;

/** What is behind a window of a bus. Neither method throws, whatever the guest does. */
export interface Device {
  /**
   * @param offset in the window, a multiple of `bytes`
   * @param bytes never 8: the bus reads twice, the low word first
   * @returns the value in its low bits; those beyond `bytes` are ignored
   */
  read(offset: number, bytes: 1 | 2 | 4): number;
  /** @param low bits 31:0, zero-extended from `bytes` @param high bits 63:32; zero unless `bytes` is 8 */
  write(offset: number, bytes: AccessBytes, low: number, high: number): void;
}

/** State that a snapshot keeps: plain data, which `structuredClone` copies exactly. */
export interface Stateful<State = unknown> {
  /** A copy, or data that never changes. */
  save(): State;
  /** @param state what `save` of a device made with the same options returned */
  restore(state: State): void;
}

/** RAM of a machine, as devices that master the bus see it. */
export interface GuestMemory {
  /** The live bytes, valid until the guest runs again; undefined if not all of them are in one range of RAM. */
  bytesAt(address: number, length: number): Uint8Array | undefined;
  /** Call it after changing bytes: they may have been code. */
  wrote(address: number, length: number): void;
}

/** A wire to an interrupt controller. */
export interface InterruptLine {
  /** Drives the level; doing so again changes nothing. */
  set(level: boolean): void;
}

/**
 * A device of 32-bit registers. Narrower accesses read the bytes of a register, and write to the register at their
 * offset as if its other bits were zero; narrower writes elsewhere are ignored. Those of 8 bytes are two of 4.
 */
export abstract class WordRegisters implements Device {
  /** @param offset a multiple of 4 */
  protected abstract readWord(offset: number): number;
  /** @param offset a multiple of 4 @param value unsigned */
  protected abstract writeWord(offset: number, value: number): void;

  read(offset: number): number {
    const within = offset % 4;
    return this.readWord(offset - within) >>> (8 * within);
  }

  write(offset: number, bytes: AccessBytes, low: number, high: number): void {
    if (offset % 4 !== 0) return;
    this.writeWord(offset, low >>> 0);
    if (bytes === 8) this.writeWord(offset + 4, high >>> 0);
  }
}

/** One of the frames of a device that has several. */
export class RegisterFrame extends WordRegisters {
  readonly #read: (offset: number) => number;
  readonly #write: (offset: number, value: number) => void;

  constructor(read: (offset: number) => number, write: (offset: number, value: number) => void) {
    super();
    this.#read = read;
    this.#write = write;
  }

  protected override readWord(offset: number): number {
    return this.#read(offset);
  }

  protected override writeWord(offset: number, value: number): void {
    this.#write(offset, value);
  }
}
