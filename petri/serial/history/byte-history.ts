/** Bytes per segment. All segments except the first have this size from the start; the first grows to it. */
const SEGMENT = 64 * 1024;
const FIRST_SEGMENT = 512;

/** Part of a console's stream that is no longer in memory: from `start` up to, not including, `end`. */
export interface Gap {
  /** Offset of the first lost byte. */
  readonly start: number;
  /** Offset of the first byte after the gap. */
  readonly end: number;
}

/**
 * A console's bytes in memory of bounded size: the first and the last ones, with one gap between them once the limit is
 * reached. Appending costs one copy.
 */
export class ByteHistory {
  #size = 0;
  /** Segment `i` holds the bytes from `i * SEGMENT` on; a dropped one leaves a hole. */
  readonly #segments: (Uint8Array | undefined)[] = [];
  readonly #headSegments: number;
  readonly #tailSegments: number;
  #firstTailSegment: number;

  /** @param limit bytes to keep; a quarter of it is for the beginning of the stream. At least two segments are kept. */
  constructor(limit: number) {
    const total = Math.max(2, Math.floor(limit / SEGMENT));
    this.#headSegments = Math.max(1, Math.floor(total / 4));
    this.#tailSegments = total - this.#headSegments;
    this.#firstTailSegment = this.#headSegments;
  }

  /** Number of bytes ever appended. */
  get size(): number {
    return this.#size;
  }

  /** The bytes that were dropped, if there are any. */
  get gap(): Gap | undefined {
    if (this.#firstTailSegment === this.#headSegments) return undefined;
    return { start: this.#headSegments * SEGMENT, end: this.#firstTailSegment * SEGMENT };
  }

  append(bytes: Uint8Array): void {
    let taken = 0;
    while (taken < bytes.length) {
      const index = Math.floor(this.#size / SEGMENT);
      const at = this.#size % SEGMENT;
      const count = Math.min(bytes.length - taken, SEGMENT - at);
      this.#writable(index, at + count).set(bytes.subarray(taken, taken + count), at);
      taken += count;
      this.#size += count;
    }
  }

  /** A view of kept bytes from an offset to the end of their segment: empty at the end or inside the gap. */
  view(offset: number): Uint8Array {
    const segment = this.#segments[Math.floor(offset / SEGMENT)];
    if (segment === undefined || offset >= this.#size) return new Uint8Array(0);
    const start = offset % SEGMENT;
    return segment.subarray(start, Math.min(segment.length, start + this.#size - offset));
  }

  /** The segment that holds a position at the end of the stream, with room for `length` bytes. */
  #writable(index: number, length: number): Uint8Array {
    const present = this.#segments[index];
    if (present !== undefined && present.length >= length) return present;
    if (present !== undefined) {
      const grown = new Uint8Array(Math.min(SEGMENT, Math.max(length, present.length * 2)));
      grown.set(present);
      this.#segments[index] = grown;
      return grown;
    }
    const fresh = this.#recycled(index) ?? new Uint8Array(index === 0 ? Math.max(FIRST_SEGMENT, length) : SEGMENT);
    this.#segments[index] = fresh;
    return fresh;
  }

  /** Takes the oldest segment out of the tail if the tail is full. */
  #recycled(index: number): Uint8Array | undefined {
    if (index - this.#firstTailSegment < this.#tailSegments) return undefined;
    const oldest = this.#segments[this.#firstTailSegment];
    this.#segments[this.#firstTailSegment] = undefined;
    this.#firstTailSegment += 1;
    return oldest;
  }
}
