import type { AccessBytes, Device, GuestMemory, Stateful } from '../../device.ts';
import { cfiTable, DEVICE_ID, MANUFACTURER_ID } from './cfi-table.ts';

/** Commands (Intel StrataFlash J3, table 4; JEDEC command set 0x0001). */
const Command = {
  PROGRAM_ALTERNATIVE: 0x10,
  BLOCK_ERASE: 0x20,
  PROGRAM: 0x40,
  CLEAR_STATUS: 0x50,
  BLOCK_LOCK: 0x60,
  READ_STATUS: 0x70,
  READ_ID: 0x90,
  CFI_QUERY: 0x98,
  CONFIRM: 0xd0,
  BUFFERED_PROGRAM: 0xe8,
  READ_ARRAY: 0xff,
} as const;
const StatusBit = { READY: 0x80, ERASE: 0x20, PROGRAM: 0x10 } as const;

export const ERASE_BLOCK_BYTES = 256 * 1024;
/** Two chips of 16 bits side by side. */
const BANK_BYTES = 4;
/** Of both chips: as `cfiTable` says for one. */
const WRITE_BUFFER_BYTES = 4096;

type Mode = 'array' | 'status' | 'id' | 'query' | 'program' | 'erase' | 'lock' | 'count' | 'buffer' | 'confirm';

interface CfiFlashState {
  readonly mode: Mode;
  readonly status: number;
  /** Bytes that a buffered program still takes, and what it has. */
  readonly expected: number;
  readonly buffered: readonly (readonly [offset: number, bytes: number, value: number])[];
  readonly start: number;
}

export interface CfiFlashOptions {
  /** Has the contents of the flash, at the address of its window. */
  readonly memory: GuestMemory;
  readonly base: number;
  /** Size in bytes, a multiple of 256 KiB. */
  readonly bytes: number;
  /** Called when reads start or stop to be those of the contents, which may then be mapped as memory to read. */
  readonly onMode?: (readable: boolean) => void;
}

/**
 * NOR flash of the Intel command set on a bus of 32 bits, as QEMU's `virt` and the Base platform have it (JESD68.01;
 * Intel StrataFlash J3): what is programmed can only clear bits, what is erased is all ones, and both are done at once.
 * Its contents are in memory that a snapshot saves, so they are no part of its state.
 */
export class CfiFlash implements Device, Stateful<CfiFlashState> {
  readonly #memory: GuestMemory;
  readonly #base: number;
  readonly #bytes: number;
  readonly #onMode: CfiFlashOptions['onMode'];
  readonly #table: Uint8Array;
  #mode: Mode = 'array';
  #status: number = StatusBit.READY;
  #expected = 0;
  #buffered: [offset: number, bytes: number, value: number][] = [];
  /** Block of the command that waits for more. */
  #start = 0;

  constructor({ memory, base, bytes, onMode }: CfiFlashOptions) {
    this.#memory = memory;
    this.#base = base;
    this.#bytes = bytes;
    this.#onMode = onMode;
    this.#table = cfiTable({ bytes, chips: BANK_BYTES / 2, blockBytes: ERASE_BLOCK_BYTES });
  }

  /** Whether reads are those of the contents. */
  get readable(): boolean {
    return this.#mode === 'array';
  }

  read(offset: number, bytes: 1 | 2 | 4): number {
    if (this.#mode === 'array') return this.#readArray(offset, bytes);
    const value = this.#readRegister(Math.floor(offset / BANK_BYTES));
    return (value | (value << 16)) >>> (8 * (offset % BANK_BYTES));
  }

  write(offset: number, bytes: AccessBytes, low: number, high: number): void {
    if (this.#mode === 'program') {
      this.#program(offset, Math.min(bytes, 4), low);
      if (bytes === 8) this.#program(offset + 4, 4, high);
      this.#enter('status');
    } else if (this.#mode === 'buffer') {
      this.#buffer(offset, Math.min(bytes, 4), low);
      if (bytes === 8) this.#buffer(offset + 4, 4, high);
    } else {
      // Commands are the low byte of each chip; the first chip's counts.
      this.#command(offset, low & 0xff, low & 0xffff);
    }
  }

  save(): CfiFlashState {
    return {
      mode: this.#mode,
      status: this.#status,
      expected: this.#expected,
      buffered: this.#buffered.map((word) => [...word] as const),
      start: this.#start,
    };
  }

  restore({ mode, status, expected, buffered, start }: CfiFlashState): void {
    this.#status = status;
    this.#expected = expected;
    this.#buffered = buffered.map(([offset, bytes, value]) => [offset, bytes, value]);
    this.#start = start;
    this.#enter(mode);
  }

  #readArray(offset: number, bytes: number): number {
    const array = this.#memory.bytesAt(this.#base + offset, bytes);
    let value = 0;
    for (let n = bytes - 1; n >= 0; n -= 1) value = value * 256 + (array?.[n] ?? 0);
    return value;
  }

  /** 16 bits of each chip. */
  #readRegister(index: number): number {
    switch (this.#mode) {
      case 'query':
        return this.#table[index] ?? 0;
      case 'id':
        // The third word is the lock status of a block: never locked.
        return [MANUFACTURER_ID, DEVICE_ID][index % (ERASE_BLOCK_BYTES / BANK_BYTES)] ?? 0;
      default:
        return this.#status;
    }
  }

  #command(offset: number, command: number, word: number): void {
    switch (this.#mode) {
      case 'erase':
        if (command === Command.CONFIRM) this.#erase();
        else this.#status |= StatusBit.ERASE | StatusBit.PROGRAM;
        this.#enter('status');
        return;
      case 'lock':
        // Locks and unlocks succeed and change nothing.
        this.#enter('status');
        return;
      case 'count':
        this.#expected = (word + 1) * BANK_BYTES;
        this.#buffered = [];
        if (this.#expected <= WRITE_BUFFER_BYTES) this.#enter('buffer');
        else this.#failProgram();
        return;
      case 'confirm':
        if (command !== Command.CONFIRM) {
          this.#failProgram();
          return;
        }
        for (const [at, bytes, value] of this.#buffered) this.#program(at, bytes, value);
        this.#buffered = [];
        this.#enter('status');
        return;
      default:
        this.#firstCycle(offset, command);
    }
  }

  #firstCycle(offset: number, command: number): void {
    this.#start = offset - (offset % ERASE_BLOCK_BYTES);
    switch (command) {
      case Command.PROGRAM:
      case Command.PROGRAM_ALTERNATIVE:
        this.#enter('program');
        return;
      case Command.BLOCK_ERASE:
        this.#enter('erase');
        return;
      case Command.BLOCK_LOCK:
        this.#enter('lock');
        return;
      case Command.BUFFERED_PROGRAM:
        this.#enter('count');
        return;
      case Command.CLEAR_STATUS:
        this.#status = StatusBit.READY;
        this.#enter('array');
        return;
      case Command.READ_STATUS:
        this.#enter('status');
        return;
      case Command.READ_ID:
        this.#enter('id');
        return;
      case Command.CFI_QUERY:
        this.#enter('query');
        return;
      default:
        // READ_ARRAY, and what is no command.
        this.#enter('array');
    }
  }

  #buffer(offset: number, bytes: number, value: number): void {
    // All of a buffer is in the block that the command named.
    if (offset < this.#start || offset + bytes > this.#start + ERASE_BLOCK_BYTES) {
      this.#failProgram();
      return;
    }
    this.#buffered.push([offset, bytes, value]);
    this.#expected -= bytes;
    if (this.#expected <= 0) this.#enter('confirm');
  }

  #failProgram(): void {
    this.#buffered = [];
    this.#status |= StatusBit.PROGRAM | StatusBit.ERASE;
    this.#enter('status');
  }

  #program(offset: number, bytes: number, value: number): void {
    const array = this.#memory.bytesAt(this.#base + offset, bytes);
    if (array === undefined) return;
    for (let n = 0; n < bytes; n += 1) array[n] = (array[n] ?? 0) & (value >>> (8 * n));
    this.#memory.wrote(this.#base + offset, bytes);
  }

  #erase(): void {
    const bytes = Math.min(ERASE_BLOCK_BYTES, this.#bytes - this.#start);
    const array = this.#memory.bytesAt(this.#base + this.#start, bytes);
    if (array === undefined) return;
    array.fill(0xff);
    this.#memory.wrote(this.#base + this.#start, bytes);
  }

  #enter(mode: Mode): void {
    const before = this.readable;
    this.#mode = mode;
    if (this.readable !== before) this.#onMode?.(this.readable);
  }
}
