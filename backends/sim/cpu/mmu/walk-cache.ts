/** log2 of the descriptors of a table in 4 KiB, the pieces that stage 2 maps. */
export const PIECE_BITS = 9;

/** Tables of one level, in pieces of 4 KiB: direct mapped by the addresses that they translate. */
export class WalkCache {
  /** Bits 31:0 of the number of a piece in its half of the address space, and the table that its walk starts with. */
  readonly #regions: Int32Array;
  readonly #roots: Float64Array;
  readonly #places: Float64Array;
  readonly #addresses: Float64Array;
  readonly #inherited: Int32Array;
  readonly #mask: number;
  #used = false;

  /** @param entries a power of two */
  constructor(entries: number) {
    this.#mask = entries - 1;
    this.#regions = new Int32Array(entries);
    this.#roots = new Float64Array(entries).fill(-1);
    this.#places = new Float64Array(entries);
    this.#addresses = new Float64Array(entries);
    this.#inherited = new Int32Array(entries);
  }

  /** @returns the entry of a piece, or -1 */
  find(region: number, root: number): number {
    const at = this.#indexOf(region, root);
    return this.#regions[at] === region && this.#roots[at] === root ? at : -1;
  }

  /** Where the first descriptor of the piece is in linear memory. */
  place(entry: number): number {
    return this.#places[entry] ?? 0;
  }
  /** Its intermediate physical address. */
  address(entry: number): number {
    return this.#addresses[entry] ?? 0;
  }
  /** What the tables above restrict, as bits 63:32 of descriptors. */
  inherited(entry: number): number {
    return this.#inherited[entry] ?? 0;
  }

  add(region: number, root: number, place: number, address: number, inherited: number): void {
    const at = this.#indexOf(region, root);
    this.#used = true;
    this.#regions[at] = region;
    this.#roots[at] = root;
    this.#places[at] = place;
    this.#addresses[at] = address;
    this.#inherited[at] = inherited;
  }

  clear(): void {
    if (this.#used) this.#roots.fill(-1);
    this.#used = false;
  }

  #indexOf(region: number, root: number): number {
    return (region ^ ((root / 4096) * 31)) & this.#mask;
  }
}
