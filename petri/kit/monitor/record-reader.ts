import { crc32 } from 'node:zlib';

const MAGIC = 0x4b4d_5450;
const HEADER_BYTES = 16;
const CRC_BYTES = 4;
/** Enough for a command with two strings of 64 KiB. */
const MAX_BODY = 0x2_1000;

/** One record of the monitor at EL2 (artifacts/monitor/records.c). */
export interface MonitorRecord {
  readonly type: number;
  /** A view that is valid until more bytes are pushed. */
  readonly body: DataView;
}

/**
 * Splits the monitor's stream into records, however it is chunked, and checks each: its header, its number in the
 * sequence, its CRC-32. Output of the guest is inside of bodies, which are not searched for records.
 */
export class RecordReader {
  readonly #take: (record: MonitorRecord) => void;
  #buffer = Buffer.alloc(64 * 1024);
  #from = 0;
  #to = 0;
  #expected = 0;

  constructor(take: (record: MonitorRecord) => void) {
    this.#take = take;
  }

  /** Whether the stream is between two records. */
  get atBoundary(): boolean {
    return this.#from === this.#to;
  }

  /** For a monitor that restarts: its records count from 0 again. */
  restart(): void {
    this.#expected = 0;
  }

  /** @throws Error for a stream that cannot be the monitor's; later bytes cannot be trusted */
  push(bytes: Uint8Array): void {
    this.#append(bytes);
    for (;;) {
      const held = this.#to - this.#from;
      if (held < HEADER_BYTES) return;
      const length = this.#bodyLength();
      const size = HEADER_BYTES + length + CRC_BYTES;
      if (held < size) return;
      this.#deliver(length);
      this.#from += size;
    }
  }

  #bodyLength(): number {
    const at = this.#from;
    const magic = this.#buffer.readUInt32LE(at);
    if (magic !== MAGIC) throw new Error(`a record begins with 0x${magic.toString(16)}`);
    const number = this.#buffer.readUInt32LE(at + 8);
    if (number !== this.#expected) throw new Error(`record ${number} came where ${this.#expected} was due`);
    const length = this.#buffer.readUInt32LE(at + 12);
    if (length > MAX_BODY) throw new Error(`record ${number} has a body of ${length} bytes`);
    return length;
  }

  #deliver(length: number): void {
    const body = this.#from + HEADER_BYTES;
    const told = this.#buffer.readUInt32LE(body + length);
    const found = crc32(this.#buffer.subarray(this.#from, body + length));
    if (told !== found) throw new Error(`record ${this.#expected} has a wrong CRC`);
    this.#expected = (this.#expected + 1) >>> 0;
    const type = this.#buffer.readUInt32LE(this.#from + 4);
    this.#take({ type, body: new DataView(this.#buffer.buffer, this.#buffer.byteOffset + body, length) });
  }

  #append(bytes: Uint8Array): void {
    const held = this.#to - this.#from;
    if (held === 0) this.#from = this.#to = 0;
    if (this.#to + bytes.length > this.#buffer.length) {
      const needed = held + bytes.length;
      const target = needed > this.#buffer.length ? Buffer.alloc(2 * needed) : this.#buffer;
      this.#buffer.copy(target, 0, this.#from, this.#to);
      this.#buffer = target;
      this.#from = 0;
      this.#to = held;
    }
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }
}
