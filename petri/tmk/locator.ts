import { harmlessLine } from '../text/index.ts';
import { nameImageOffsets } from './image-offsets.ts';
import { HOLE_BYTES } from './memory-holes.ts';
import type { TmkImage } from '../contract/index.ts';
import type { SymbolLocation } from '../elf/index.ts';

const INSTRUCTION_BYTES = 4n;

/** The location of an address. */
export interface Location {
  /** The symbol there, if the ELF file has one. */
  readonly symbol?: SymbolLocation;
  /** The address with its symbol, in words for a message; harmless to print. */
  readonly text: string;
}

/** Finds the location of addresses in a payload that was loaded at some base. */
export class PayloadLocator {
  readonly #image: TmkImage;
  readonly #base: number;

  /** @param base added to the linked addresses of the image */
  constructor(image: TmkImage, base: number) {
    this.#image = image;
    this.#base = base;
  }

  /** The location of an address, such as the PC of a fault. */
  locate(pc: bigint): Location {
    return located(pc, this.#symbolAt(pc));
  }

  /** The location of a call from its return address: after a call that never returns, another function may begin. */
  locateReturn(address: bigint): Location {
    const call = this.#symbolAt(address - INSTRUCTION_BYTES);
    return located(address, call && { ...call, offset: call.offset + Number(INSTRUCTION_BYTES) });
  }

  /** The likely cause of an access to an address without memory: a clause to append to a message, or ''. */
  explainHole(address: bigint): string {
    const { stackStart, span } = this.#image;
    const below = BigInt(this.#base + (stackStart ?? span.start)) - address;
    if (below > 0n && below <= HOLE_BYTES) {
      return stackStart === undefined
        ? '; it is just below the image'
        : `; the stack has overflowed: it ends 0x${below.toString(16)} bytes above`;
    }
    return address >= 0n && address < HOLE_BYTES ? '; a null pointer: there is never anything at such addresses' : '';
  }

  /** Applies `nameImageOffsets` with the payload's image. */
  nameOffsets(message: string): string {
    return nameImageOffsets(message, this.#image);
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
