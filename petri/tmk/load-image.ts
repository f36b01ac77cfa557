import { PetriError } from '../errors.ts';
import type { TmkPayload } from '../contract/index.ts';

/** The parts of a payload that loading needs. */
export type LoadablePayload = Pick<TmkPayload, 'name' | 'image'>;

const PAGE = 4096;

/** Where a TMK is loaded: segments at `base` plus their linked address. */
export interface TmkPlacement {
  /** Where address 0 of the linked image is. */
  readonly base: number;
  /** Address of the first instruction. */
  readonly entry: number;
  /** The page right after the image. */
  readonly startInput: number;
}

/**
 * @param base lowest address of the memory
 * @param bytes its size
 * @throws PetriError `payload-too-large`
 */
export function placeTmk(payload: LoadablePayload, base: number, bytes: number): TmkPlacement {
  const { image } = payload;
  const needed = image.span.end + PAGE;
  if (needed > bytes) {
    throw new PetriError(
      `${payload.name} needs ${needed} bytes of memory from its load address, with the page for its start input, and gets ${bytes}`,
      {
        code: 'payload-too-large',
        step: 'launch',
        remedy: 'make the image smaller (large arrays, stack) or link it at address 0, as `petri tmk build` does',
      },
    );
  }
  return { base, entry: base + image.entry, startInput: base + image.span.end };
}

/** A page of an image in its initial state. */
export interface ImagePage {
  /** Where it goes, a multiple of 4096. */
  readonly address: number;
  /** 4096 bytes, valid until the next page is requested. */
  readonly bytes: Uint8Array;
}

/** The pages that an image occupies, in order of address, each once; including those that contain only zeros. */
export function* imagePages(payload: LoadablePayload, base: number): Generator<ImagePage, void, void> {
  const { segments } = payload.image;
  const bytes = new Uint8Array(PAGE);
  let next = 0;
  for (const [index, segment] of segments.entries()) {
    const end = segment.vaddr + segment.memsize;
    let page = Math.max(next, Math.floor(segment.vaddr / PAGE) * PAGE);
    for (; page < end; page += PAGE) {
      bytes.fill(0);
      // A page may hold the end of one segment and the start of others.
      for (let other = index; other < segments.length; other++) {
        const { vaddr, data } = segments[other] ?? segment;
        if (vaddr >= page + PAGE) break;
        const from = Math.max(vaddr, page);
        const to = Math.min(vaddr + data.length, page + PAGE);
        if (from < to) bytes.set(data.subarray(from - vaddr, to - vaddr), from - page);
      }
      yield { address: base + page, bytes };
    }
    next = Math.max(next, page);
  }
}
