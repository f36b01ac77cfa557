export const PAGE = 4096;
const PAGES_PER_CHUNK = 256;
/** Bytes of a chunk, of which the last may have fewer. */
export const CHUNK_BYTES = PAGES_PER_CHUNK * PAGE;

/**
 * The contents of RAM at one moment: the pages that are not zero, in slots. It never changes, and images of the same
 * machine share the chunks that they have in common.
 */
export class MemoryImage {
  /** By page of RAM: its slot, or -1 for a page of zeros. */
  readonly slots: Int32Array;
  readonly chunks: readonly Uint8Array[];

  /** @param slots not to be changed afterwards, as `chunks` */
  constructor(slots: Int32Array, chunks: readonly Uint8Array[]) {
    this.slots = slots;
    this.chunks = chunks;
  }

  /** Contents of a page; undefined for zeros. */
  page(index: number): Uint8Array | undefined {
    const slot = this.slots[index] ?? -1;
    if (slot < 0) return undefined;
    const at = (slot % PAGES_PER_CHUNK) * PAGE;
    return this.chunks[Math.floor(slot / PAGES_PER_CHUNK)]?.subarray(at, at + PAGE);
  }

  /** Whether a page is known to be the same in both, without looking at its bytes. */
  shares(index: number, other: MemoryImage): boolean {
    const slot = this.slots[index] ?? -1;
    if (slot !== (other.slots[index] ?? -1)) return false;
    if (slot < 0) return true;
    const chunk = Math.floor(slot / PAGES_PER_CHUNK);
    return this.chunks[chunk] === other.chunks[chunk];
  }
}

/** In place of a chunk whose pages all have newer contents. */
const NOTHING = new Uint8Array();

/** RAM of zeros. @param bytes a multiple of 4 KiB */
export function zeroImage(bytes: number): MemoryImage {
  return new MemoryImage(new Int32Array(bytes / PAGE).fill(-1), []);
}

/** Makes an image that differs from another in some pages. */
export class ImageBuilder {
  readonly #slots: Int32Array;
  readonly #chunks: Uint8Array[];
  #next: number;

  constructor(base: MemoryImage) {
    this.#slots = base.slots.slice();
    this.#chunks = [...base.chunks];
    // Chunks of others are never written.
    this.#next = base.chunks.length * PAGES_PER_CHUNK;
  }

  /** @param contents copied; undefined for zeros */
  set(index: number, contents: Uint8Array | undefined): void {
    if (contents === undefined) {
      this.#slots[index] = -1;
      return;
    }
    const at = (this.#next % PAGES_PER_CHUNK) * PAGE;
    if (at === 0) this.#chunks.push(new Uint8Array(CHUNK_BYTES));
    this.#chunks.at(-1)?.set(contents, at);
    this.#slots[index] = this.#next;
    this.#next += 1;
  }

  build(): MemoryImage {
    const chunks = this.#chunks;
    const rest = this.#next % PAGES_PER_CHUNK;
    const last = chunks.at(-1);
    if (rest !== 0 && last !== undefined) chunks[chunks.length - 1] = last.slice(0, rest * PAGE);
    const used = new Set<number>();
    for (const slot of this.#slots) if (slot >= 0) used.add(Math.floor(slot / PAGES_PER_CHUNK));
    return new MemoryImage(
      this.#slots,
      chunks.map((chunk, index) => (used.has(index) ? chunk : NOTHING)),
    );
  }
}
