import { Record } from '../layout.ts';

/** Words kept for the process: several times as many as a large payload has, and still little memory. */
const MAX_WORDS = 32_768;
const RECORD_WORDS = Record.Bytes / 4;

const Trait = { Simd: 1, Ends: 2 } as const;

/**
 * Records by instruction word, for instructions that mean the same at any address. Compiled code contains each word
 * many times, and decoding one costs far more than copying its record.
 */
export class RecordTemplates {
  readonly #places = new Map<number, number>();
  readonly #records = new Uint32Array(MAX_WORDS * RECORD_WORDS);
  readonly #traits = new Uint8Array(MAX_WORDS);

  /** @returns the template's place, or -1 */
  find(word: number): number {
    return this.#places.get(word) ?? -1;
  }

  /** Copies the record of a template. @param at index of its first word in `memory` */
  copyTo(memory: Uint32Array, at: number, place: number): void {
    const from = place * RECORD_WORDS;
    for (let index = 0; index < RECORD_WORDS; index += 1) memory[at + index] = this.#records[from + index] ?? 0;
  }

  /** Whether the instruction uses SIMD&FP registers. */
  isSimd(place: number): boolean {
    return ((this.#traits[place] ?? 0) & Trait.Simd) !== 0;
  }

  /** Whether the instruction never falls through to the next one. */
  ends(place: number): boolean {
    return ((this.#traits[place] ?? 0) & Trait.Ends) !== 0;
  }

  add(word: number, memory: Uint32Array, at: number, simd: boolean, ends: boolean): void {
    if (this.#places.size >= MAX_WORDS) this.#places.clear();
    const place = this.#places.size;
    this.#places.set(word, place);
    this.#records.set(memory.subarray(at, at + RECORD_WORDS), place * RECORD_WORDS);
    this.#traits[place] = (simd ? Trait.Simd : 0) | (ends ? Trait.Ends : 0);
  }
}
