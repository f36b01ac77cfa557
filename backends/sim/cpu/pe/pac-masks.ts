import { PacMask, pacMask } from '../layout.ts';

/** The registers on which the place of pointer authentication codes depends. */
interface Controls {
  readonly sctlr: number;
  readonly tcrLow: number;
  readonly topByteIgnored: number;
  readonly topByteIgnoredByBranches: number;
}

/** SCTLR_EL1.EnIA, EnIB, EnDA and EnDB, by key. */
const ENABLE = [1 << 31, 1 << 30, 1 << 27, 1 << 13] as const;
/** Limits of TCR_EL1.TxSZ with FEAT_TTST, without FEAT_LVA and FEAT_LPA2; a size beyond them counts as the limit. */
const TXSZ = { min: 16, max: 48 } as const;
/** Bit 55, in bits 63:32: it selects the half of the address space, and so is no part of a code. */
const SELECT = 1 << 23;
const TOP_BYTE = 0xff << 24;

/** Bits 31:0 and 63:32 of a mask: from the first bit that is not an address to the last that is not a tag. */
function bits(size: number, tagged: boolean): readonly [low: number, high: number] {
  const bottom = 64 - Math.min(Math.max(size, TXSZ.min), TXSZ.max);
  const high = (bottom > 32 ? -1 << (bottom - 32) : -1) & ~SELECT;
  return [bottom < 32 ? -1 << bottom : 0, tagged ? high & ~TOP_BYTE : high];
}

/**
 * Writes which bits of pointers hold authentication codes (Arm ARM, AddPAC and CalculateBottomPACBit of the shared
 * pseudocode, with FEAT_CONSTPACFIELD): none of a key that is not enabled.
 *
 * @param base of the context
 */
export function writePacMasks(words: Uint32Array, base: number, controls: Controls): void {
  const { sctlr, tcrLow, topByteIgnored, topByteIgnoredByBranches } = controls;
  for (const half of [0, 1] as const) {
    const size = (half === 0 ? tcrLow : tcrLow >>> 16) & 63;
    const write = (use: number, [low, high]: readonly [number, number]): void => {
      const at = (base + pacMask(use, half)) >> 2;
      words[at] = low;
      words[at + 1] = high;
    };
    const instruction = bits(size, ((topByteIgnoredByBranches >>> half) & 1) === 1);
    const data = bits(size, ((topByteIgnored >>> half) & 1) === 1);
    for (const [key, enable] of ENABLE.entries()) {
      write(key, (sctlr & enable) === 0 ? [0, 0] : key < PacMask.Da ? instruction : data);
    }
    write(PacMask.AnyInstruction, instruction);
    write(PacMask.AnyData, data);
  }
}
