import { decode } from '../isa/decoder.ts';
import type { Definition } from '../isa/definition.ts';
import type { Random } from './registers.ts';
import { PAGE_BYTES, RegisterFile, SCRATCH_PAGE, type Case } from './registers.ts';

/** Random instructions of a definition, with registers full of edge cases. */

const integers: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x8000_0000_0000_0001n,
  0xffff_ffff_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_ff80n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

/** Zeros, infinities, NaNs of both kinds, denormals, limits of conversions, halves, with either sign. */
const singles: readonly number[] = [
  0, 0x7f80_0000, 0x7fc0_0000, 0x7fc1_2345, 0x7f80_0001, 0x7fa0_5555, 1, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff,
  0x3f80_0000, 0x3f00_0000, 0x3fc0_0000, 0x4020_0000, 0x3eff_ffff, 0x4b00_0000, 0x4affffff, 0x4f00_0000, 0x4eff_ffff,
  0x4f80_0000, 0x5f00_0000, 0x5f80_0000, 0x3340_0000, 0x477f_e000, 0x477f_f000, 0x3880_0000, 0x3300_0000, 0x3300_0001,
];
const doubles: readonly bigint[] = [
  0n,
  0x7ff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0x7ff8_1234_5678_9abcn,
  0x7ff0_0000_0000_0001n,
  0x7ff4_5555_5555_5555n,
  1n,
  0x000f_ffff_ffff_ffffn,
  0x0010_0000_0000_0000n,
  0x7fef_ffff_ffff_ffffn,
  0x3ff0_0000_0000_0000n,
  0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n,
  0x4004_0000_0000_0000n,
  0x3fdf_ffff_ffff_ffffn,
  0x4330_0000_0000_0000n,
  0x4320_0000_0000_0001n,
  0x41df_ffff_ffc0_0000n,
  0x41e0_0000_0000_0000n,
  0x41ef_ffff_ffe0_0000n,
  0x43e0_0000_0000_0000n,
  0x43f0_0000_0000_0000n,
  0x47ef_ffff_e000_0000n,
  0x47ef_ffff_f000_0000n,
  0x3810_0000_0000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x36a0_0000_0000_0000n,
  0x3690_0000_0000_0000n,
];
const halves: readonly number[] = [0, 0x7c00, 0x7e00, 0x7e55, 0x7c01, 0x7d55, 1, 0x03ff, 0x0400, 0x7bff, 0x3c00];

function single(random: Random): number {
  const sign = (random.word() & 0x8000_0000) >>> 0;
  const kind = random.below(4);
  if (kind === 0) return (random.pick(singles) | sign) >>> 0;
  // Of similar magnitude, so that additions cancel and round, or of any magnitude.
  const exponent = kind === 1 ? random.below(256) : 100 + random.below(56);
  const fraction = random.below(3) === 0 ? random.word() & 0x7f_0000 : random.word() & 0x7f_ffff;
  return (sign | (exponent << 23) | fraction) >>> 0;
}

function double(random: Random): bigint {
  const sign = BigInt(random.below(2)) << 63n;
  const kind = random.below(4);
  if (kind === 0) return random.pick(doubles) | sign;
  const exponent = kind === 1 ? random.below(2048) : 960 + random.below(126);
  const fraction = random.below(3) === 0 ? random.wide() & 0xf_f000_0000_0000n : random.wide() & 0xf_ffff_ffff_ffffn;
  return sign | (BigInt(exponent) << 52n) | fraction;
}

function half(random: Random): number {
  return random.below(2) === 0 ? random.word() & 0xffff : random.pick(halves) | (random.word() & 0x8000);
}

/**
 * Sets the operands of a fused multiply-add so that the result is close to the midpoint between two representable
 * numbers, where rounding twice would give the wrong one: any addend in [1, 2), and factors with the product
 * (1 - x)(1 + x) times half its last place.
 */
function nearMiddle(random: Random, view: DataView, word: number, fractionBits: 10 | 23 | 52): void {
  const bytes = fractionBits === 10 ? 2 : fractionBits === 23 ? 4 : 8;
  const fraction = BigInt(fractionBits);
  const one = fractionBits === 10 ? 0x3c00n : fractionBits === 23 ? 0x3f80_0000n : 0x3ff0_0000_0000_0000n;
  const fill = (register: number, value: () => bigint): void => {
    const at = RegisterFile.V + register * 16;
    for (let offset = 0; offset < 16; offset += bytes) {
      const bits = value() | (BigInt(random.below(2)) << BigInt(bytes * 8 - 1));
      if (bytes === 2) view.setUint16(at + offset, Number(bits), true);
      else if (bytes === 4) view.setUint32(at + offset, Number(bits), true);
      else view.setBigUint64(at + offset, bits, true);
    }
  };
  for (let v = 0; v < 32; v += 1) fill(v, () => one | (random.wide() & ((1n << fraction) - 1n)));
  const last = BigInt(random.below(fractionBits - 1));
  fill((word >>> 5) & 31, () => one + (2n << last));
  // Below 1, the last place is worth half as much.
  fill((word >>> 16) & 31, () => one - (4n << last) - ((fraction + 1n) << fraction));
}

function vector(random: Random, view: DataView, at: number): void {
  const kind = random.below(7);
  for (let offset = 0; offset < 16; offset += 8) {
    const put32 = (value: () => number): void => {
      view.setUint32(at + offset, value(), true);
      view.setUint32(at + offset + 4, value(), true);
    };
    switch (kind) {
      case 0:
      case 1:
        put32(() => single(random));
        break;
      case 2:
        view.setBigUint64(at + offset, double(random), true);
        break;
      case 3:
        view.setBigUint64(at + offset, random.below(3) === 0 ? random.pick(integers) : double(random), true);
        break;
      case 4:
        for (let h = 0; h < 8; h += 2) view.setUint16(at + offset + h, half(random), true);
        break;
      case 5: {
        // Small lanes with many extreme values: shift amounts, saturation.
        const lane = [0, 0x7f, 0x80, 0xff, 1];
        const bytes = (): number => (random.below(2) === 0 ? random.pick(lane) : random.word() & 0xff);
        for (let byte = 0; byte < 8; byte += 1) view.setUint8(at + offset + byte, bytes());
        break;
      }
      default:
        if (random.below(2) === 0) for (let h = 0; h < 8; h += 2) view.setUint16(at + offset + h, half(random), true);
        else put32(() => (random.below(2) === 0 ? Number(random.pick(integers) & 0xffff_ffffn) : random.word()));
    }
  }
}

/** Loads and stores: op0 of the main encoding table is x1x0. */
function accessesMemory(word: number): boolean {
  return ((word >>> 25) & 5) === 4;
}

/** LDR (literal), LDRSW (literal), PRFM (literal). */
function isLiteral(word: number): boolean {
  return (word & 0x3b00_0000) === 0x1800_0000;
}

/** An address in the middle of the scratch page, mostly aligned: misaligned accesses fault while the MMU is off. */
function scratchAddress(random: Random): bigint {
  const aligned = random.below(16) === 0 ? random.below(64) : 0;
  return BigInt(SCRATCH_PAGE + PAGE_BYTES / 2 + random.below(8) * 64 + aligned);
}

/** FPCR: AHP and DN now and then; in half of the cases also a mode of rounding and what is flushed. */
function modes(random: Random): bigint {
  const set = (bit: bigint, oneIn: number): bigint => (random.below(oneIn) === 0 ? 1n << bit : 0n);
  const special = set(26n, 6) | set(25n, 6);
  if (random.below(2) === 0) return special;
  return special | (BigInt(random.below(4)) << 22n) | set(24n, 3) | set(19n, 3);
}

/** FPSR: nothing, IXC, or any of QC and the cumulative flags. */
function flags(random: Random): bigint {
  const kind = random.below(3);
  if (kind < 2) return kind === 0 ? 0n : 0x10n;
  return BigInt(random.word() & 0x0800_009f);
}

export function randomRegisters(random: Random, word: number): Uint8Array {
  const bytes = new Uint8Array(RegisterFile.Bytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < 31; n += 1) {
    const value = random.below(2) === 0 ? random.pick(integers) : random.wide();
    view.setBigUint64(RegisterFile.X + n * 8, random.below(6) === 0 ? random.pick(doubles) : value, true);
  }
  view.setBigUint64(RegisterFile.Sp, scratchAddress(random), true);
  if (accessesMemory(word)) {
    // The register offset first: the same register may be the base.
    const offset = random.pick([0n, 8n, 16n, 64n, 0xffff_ffff_ffff_ffc0n, 0xffff_ffc0n]);
    const m = (word >>> 16) & 31;
    if (m < 31 && random.below(2) === 0) view.setBigUint64(RegisterFile.X + m * 8, offset, true);
    const n = (word >>> 5) & 31;
    const at = n === 31 ? RegisterFile.Sp : RegisterFile.X + n * 8;
    view.setBigUint64(at, scratchAddress(random), true);
  }
  view.setBigUint64(RegisterFile.Nzcv, BigInt(random.below(16)) << 28n, true);
  view.setBigUint64(RegisterFile.Fpcr, modes(random), true);
  view.setBigUint64(RegisterFile.Fpsr, flags(random), true);
  for (let v = 0; v < 32; v += 1) vector(random, view, RegisterFile.V + v * 16);
  if (random.below(4) === 0) nearMiddle(random, view, word, random.pick([10, 23, 52] as const));
  return bytes;
}

/** Whether the registers overlap in a way that is CONSTRAINED UNPREDICTABLE. */
function isUnpredictable(word: number): boolean {
  if (!accessesMemory(word)) return false;
  const t = word & 31;
  const n = (word >>> 5) & 31;
  const t2 = (word >>> 10) & 31;
  const s = (word >>> 16) & 31;
  const general = (word & 0x0400_0000) === 0;
  const pair = (word & 0x3800_0000) === 0x2800_0000;
  if (pair) {
    const load = (word & 0x0040_0000) !== 0;
    const writesBack = (word & 0x0080_0000) !== 0;
    if (load && t === t2) return true;
    return general && writesBack && n !== 31 && (t === n || t2 === n);
  }
  const single = (word & 0x3b20_0000) === 0x3800_0000;
  if (single) return general && (word & 0x0000_0400) !== 0 && n !== 31 && t === n;
  const exclusive = (word & 0x3f80_0000) === 0x0800_0000;
  if (exclusive) {
    const load = (word & 0x0040_0000) !== 0;
    if (load) return (word & 0x0020_0000) !== 0 && t === t2;
    return s === t || (s === n && n !== 31) || ((word & 0x0020_0000) !== 0 && s === t2);
  }
  return false;
}

const ATTEMPTS = 400;

/** A random case of one definition; undefined if all attempts are unallocated or unpredictable. */
export function randomCase(random: Random, definition: Definition, pc: number): Case | undefined {
  const { mask, value } = definition.encoding;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let free = random.word();
    // Few registers, so that destinations are often sources too.
    if (random.below(4) === 0) free &= 0xfffc_fc63;
    let word = (value | (free & ~mask)) >>> 0;
    if (isLiteral(word)) {
      const distance = SCRATCH_PAGE + random.below(PAGE_BYTES / 16 - 1) * 16 - pc;
      word = ((word & 0xff00_001f) | (((distance >> 2) & 0x7_ffff) << 5)) >>> 0;
    } else if ((word & 0x3b00_0000) === 0x3900_0000) {
      // Unsigned offsets would reach far beyond the scratch page.
      word &= ~0x003e_0000 >>> 0;
    }
    if (isUnpredictable(word) || decode(word >>> 0, pc)?.row.definition !== definition) continue;
    return { name: definition.name, word: word >>> 0, pc, registers: randomRegisters(random, word >>> 0) };
  }
  return undefined;
}
