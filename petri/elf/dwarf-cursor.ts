/** What a `DwarfCursor` throws where the bytes end: whoever reads a unit catches it. */
export class DwarfEnd extends Error {}

const decoder = new TextDecoder('utf-8');

/** Reads DWARF's numbers and strings one after another, little-endian. */
export class DwarfCursor {
  at: number;
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /** @param end the offset after the last byte that may be read; cut to what there is */
  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = Math.min(end, bytes.length);
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** @throws DwarfEnd as all below */
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }
  /** Exact below 2^53. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 2 ** 32 + low;
  }
  /** LEB128; exact below 2^53. */
  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      if (scale < 2 ** 63) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  /** Signed LEB128; exact within 2^53. */
  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      if (scale < 2 ** 63) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - scale * 128;
    }
  }
  /** A string with its NUL. */
  string(): string {
    const start = this.at;
    const nul = this.#bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.end) throw new DwarfEnd();
    this.at = nul + 1;
    return decoder.decode(this.#bytes.subarray(start, nul));
  }
  skip(bytes: number): void {
    this.#take(bytes);
  }

  #take(bytes: number): number {
    const { at } = this;
    if (!(at + bytes <= this.end)) throw new DwarfEnd();
    this.at = at + bytes;
    return at;
  }
}
