/** Bytes of a packet's data that are taken at most, as `PacketSize` says. */
export const PACKET_SIZE = 0x4000;
/** With a start, an end and a checksum, where each byte is escaped. */
const MAX_BUFFERED = 2 * PACKET_SIZE + 16;

const Byte = { Start: 0x24, End: 0x23, Escape: 0x7d, Repeat: 0x2a, Ack: 0x2b, Nack: 0x2d, Interrupt: 0x03 } as const;
const ESCAPED = 0x20;

/** What a debugger sent. */
export type Received =
  | { readonly kind: 'ack' | 'nack' | 'interrupt' | 'corrupt' }
  | {
      readonly kind: 'packet';
      /** Its data, without escapes. */
      readonly data: Buffer;
    }
  /** More than a packet may have. */
  | { readonly kind: 'overflow' };

/**
 * Takes a stream of bytes apart (GDB manual, Remote Protocol, Overview). What is outside of packets and means nothing
 * is ignored.
 */
export class PacketReader {
  #buffered = Buffer.alloc(0);

  push(bytes: Uint8Array): void {
    this.#buffered = Buffer.concat([this.#buffered, bytes]);
  }

  /** The next thing that is complete. */
  next(): Received | undefined {
    const bytes = this.#buffered;
    for (let at = 0; at < bytes.length; at += 1) {
      switch (bytes[at]) {
        case Byte.Ack:
          return this.#take(at + 1, { kind: 'ack' });
        case Byte.Nack:
          return this.#take(at + 1, { kind: 'nack' });
        case Byte.Interrupt:
          return this.#take(at + 1, { kind: 'interrupt' });
        case Byte.Start:
          return this.#packet(at);
        default:
          break;
      }
    }
    this.#buffered = Buffer.alloc(0);
    return undefined;
  }

  #packet(start: number): Received | undefined {
    const bytes = this.#buffered;
    const end = bytes.indexOf(Byte.End, start);
    if (end < 0 || bytes.length < end + 3) {
      if (bytes.length - start > MAX_BUFFERED) return { kind: 'overflow' };
      this.#buffered = bytes.subarray(start);
      return undefined;
    }
    const data = bytes.subarray(start + 1, end);
    if (data.length > 2 * PACKET_SIZE) return { kind: 'overflow' };
    const stated = bytes.toString('latin1', end + 1, end + 3);
    const good = /^[0-9a-f]{2}$/i.test(stated) && Number.parseInt(stated, 16) === checksum(data);
    return this.#take(end + 3, good ? { kind: 'packet', data: unescaped(data) } : { kind: 'corrupt' });
  }

  #take(bytes: number, received: Received): Received {
    this.#buffered = this.#buffered.subarray(bytes);
    return received;
  }
}

/** A packet with checksum; binary data must have been escaped. */
export function packet(data: string | Uint8Array): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  return Buffer.concat([
    Uint8Array.of(Byte.Start),
    bytes,
    Buffer.from(`#${checksum(bytes).toString(16).padStart(2, '0')}`, 'latin1'),
  ]);
}

/** Binary data as it may stand in a packet (Overview: binary data). */
export function escaped(data: Uint8Array): Buffer {
  const out: number[] = [];
  for (const byte of data) {
    const special = byte === Byte.Start || byte === Byte.End || byte === Byte.Escape || byte === Byte.Repeat;
    if (special) out.push(Byte.Escape, byte ^ ESCAPED);
    else out.push(byte);
  }
  return Buffer.from(out);
}

function unescaped(data: Buffer): Buffer {
  if (!data.includes(Byte.Escape)) return Buffer.from(data);
  const out = Buffer.alloc(data.length);
  let length = 0;
  for (let at = 0; at < data.length; at += 1) {
    const byte = data[at] ?? 0;
    out[length++] = byte === Byte.Escape ? (data[++at] ?? 0) ^ ESCAPED : byte;
  }
  return out.subarray(0, length);
}

function checksum(data: Uint8Array): number {
  let sum = 0;
  for (const byte of data) sum += byte;
  return sum & 0xff;
}
