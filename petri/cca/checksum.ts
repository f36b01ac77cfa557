const POLYNOMIAL = 0x04c11db7;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
  return value;
});

/** The checksum that `cksum` prints (POSIX.1-2017, `cksum`): a CRC of the bytes followed by their number. */
export class Checksum {
  #value = 0;
  #bytes = 0;

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#value = feed(this.#value, bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the bytes so far. */
  get value(): number {
    const length: number[] = [];
    for (let rest = this.#bytes; rest > 0; rest = Math.floor(rest / 256)) length.push(rest % 256);
    return ~feed(this.#value, Uint8Array.from(length)) >>> 0;
  }
}

export function checksumOf(bytes: Uint8Array): number {
  const checksum = new Checksum();
  checksum.update(bytes);
  return checksum.value;
}

function feed(start: number, bytes: Uint8Array): number {
  let value = start;
  for (const byte of bytes) value = (value << 8) ^ (TABLE[((value >>> 24) ^ byte) & 0xff] ?? 0);
  return value;
}
