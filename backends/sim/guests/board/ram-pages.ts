import type { MemoryRange } from '../../machine/index.ts';
import { ImageBuilder, type MemoryImage, PAGE, zeroImage } from './memory-image.ts';

/**
 * What a page of RAM holds. `Absent`: zeros, in place of what the image has, which is copied when the page is first
 * used. `Same`: what the image has. `Used`: anything.
 */
const Page = { Absent: 0, Same: 1, Used: 2 } as const;

const ZEROS = new Uint8Array(PAGE);

/** The RAM of a machine in linear memory. */
export interface RamPlace {
  /** Linear memory. */
  readonly u8: Uint8Array;
  readonly offset: number;
  readonly bytes: number;
  /** To be called after a page was changed, which may have been code. @param offset in linear memory */
  wrote(offset: number, bytes: number): void;
}

/**
 * The RAM of a machine that was restored or saved: which pages may differ from an image. Everybody who uses a page says
 * so first (`use`), readers as well, since pages are filled by their first use; a TLB is allowed to say so once, if it
 * is dropped at each `save` and `restore`. So neither costs more than the pages that were used in between.
 */
export class RamPages {
  readonly #ram: RamPlace;
  readonly #pages: Uint8Array;
  #image: MemoryImage;

  /** @param used ranges of linear memory that may hold anything; the rest of the RAM is zero */
  constructor(ram: RamPlace, used: readonly MemoryRange[]) {
    this.#ram = ram;
    this.#image = zeroImage(ram.bytes);
    this.#pages = new Uint8Array(ram.bytes / PAGE);
    for (const { offset, bytes } of used) {
      const from = (offset - ram.offset) / PAGE;
      this.#pages.fill(Page.Used, from, from + bytes / PAGE);
    }
  }

  /** The image that was saved or restored last. */
  get image(): MemoryImage {
    return this.#image;
  }

  /** To be called before RAM is read or written. @param at offset in bytes from the start of the RAM */
  use(at: number, bytes: number): void {
    const last = Math.floor((at + bytes - 1) / PAGE);
    for (let page = Math.floor(at / PAGE); page <= last; page += 1) {
      const was = this.#pages[page];
      if (was === Page.Used) continue;
      this.#pages[page] = Page.Used;
      const contents = was === Page.Absent ? this.#image.page(page) : undefined;
      if (contents !== undefined) this.#ram.u8.set(contents, this.#ram.offset + page * PAGE);
    }
  }

  /** The contents of now. */
  save(): MemoryImage {
    const builder = new ImageBuilder(this.#image);
    for (let page = 0; page < this.#pages.length; page += 1) {
      if (this.#pages[page] !== Page.Used) continue;
      this.#pages[page] = Page.Same;
      const now = this.#contents(page);
      const before = this.#image.page(page);
      if (Buffer.compare(now, before ?? ZEROS) === 0) continue;
      builder.set(page, Buffer.compare(now, ZEROS) === 0 ? undefined : now);
    }
    this.#image = builder.build();
    return this.#image;
  }

  /**
   * Has the RAM hold an image. Pages that hold it already keep the code that was decoded from them.
   *
   * @param image of a machine with as much RAM
   */
  restore(image: MemoryImage): void {
    for (let page = 0; page < this.#pages.length; page += 1) {
      const was = this.#pages[page];
      if (was === Page.Absent || (was === Page.Same && (image === this.#image || image.shares(page, this.#image)))) {
        continue;
      }
      this.#pages[page] = Page.Same;
      const wanted = image.page(page) ?? ZEROS;
      if (Buffer.compare(this.#contents(page), wanted) === 0) continue;
      const at = this.#ram.offset + page * PAGE;
      this.#ram.u8.set(wanted, at);
      this.#ram.wrote(at, PAGE);
    }
    this.#image = image;
  }

  #contents(page: number): Uint8Array {
    const at = this.#ram.offset + page * PAGE;
    return this.#ram.u8.subarray(at, at + PAGE);
  }
}
