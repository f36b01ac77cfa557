import { harmlessLine } from '../text/index.ts';
import type { TmkImage } from '../contract/index.ts';

const OFFSET = /\bimage\+0x([0-9a-f]{1,12})\b/g;
/** More than a panic of ours has, and few enough to limit a hostile one: each may become a long symbol. */
const MAX_OFFSETS = 8;

/**
 * Names the functions in a panic of our TMK runtime (artifacts/tmk/runtime/exceptions.c), which prints addresses as
 * `image+0x…` because it has no symbols: each becomes `name+0x…` if the image has a symbol.
 */
export function nameImageOffsets(message: string, image: Pick<TmkImage, 'symbolAt'>): string {
  let left = MAX_OFFSETS;
  return message.replace(OFFSET, (text, digits: string) => {
    if (left-- <= 0) return text;
    const symbol = image.symbolAt(Number.parseInt(digits, 16));
    return symbol === undefined ? text : `${harmlessLine(symbol.name)}+0x${symbol.offset.toString(16)}`;
  });
}
