import type { TmkImage } from '../../petri/payload/tmk.ts';
import type { SymbolLocation } from '../../petri/vm/halt.ts';

/** Says where an address lies in a payload that was loaded at some base. */
export class PayloadLocator {
  readonly #image: TmkImage;
  readonly #base: number;

  /** @param base added to the addresses of the image as linked */
  constructor(image: TmkImage, base: number) {
    this.#image = image;
    this.#base = base;
  }

  locate(pc: bigint): { readonly symbol?: SymbolLocation; readonly text: string } {
    const hex = `0x${pc.toString(16)}`;
    const linked = pc - BigInt(this.#base);
    const symbol = linked < 0n || linked > Number.MAX_SAFE_INTEGER ? undefined : this.#image.symbolAt(Number(linked));
    return symbol === undefined
      ? { text: hex }
      : { symbol, text: `${hex} (${symbol.name}+0x${symbol.offset.toString(16)})` };
  }
}
