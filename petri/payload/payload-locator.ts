import { harmlessLine } from '../text/index.ts';
import type { TmkImage } from './tmk.ts';
import type { SymbolLocation } from '../vm/halt.ts';

const INSTRUCTION_BYTES = 4n;

export interface Location {
  readonly symbol?: SymbolLocation;
  readonly text: string;
}

/** Says where an address lies in a payload that was loaded at some base. */
export class PayloadLocator {
  readonly #image: TmkImage;
  readonly #base: number;

  /** @param base added to the addresses of the image as linked */
  constructor(image: TmkImage, base: number) {
    this.#image = image;
    this.#base = base;
  }

  locate(pc: bigint): Location {
    return located(pc, this.#symbolAt(pc));
  }

  /** In the function that made the call: behind a call that never returns there may be another function already. */
  locateReturn(address: bigint): Location {
    const call = this.#symbolAt(address - INSTRUCTION_BYTES);
    return located(address, call && { ...call, offset: call.offset + Number(INSTRUCTION_BYTES) });
  }

  #symbolAt(address: bigint): SymbolLocation | undefined {
    const linked = address - BigInt(this.#base);
    return linked < 0n || linked > Number.MAX_SAFE_INTEGER ? undefined : this.#image.symbolAt(Number(linked));
  }
}

function located(address: bigint, symbol: SymbolLocation | undefined): Location {
  const hex = `0x${address.toString(16)}`;
  return symbol === undefined
    ? { text: hex }
    : { symbol, text: `${hex} (${harmlessLine(symbol.name)}+0x${symbol.offset.toString(16)})` };
}
