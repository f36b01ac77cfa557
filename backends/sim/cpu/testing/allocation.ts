import { decode } from '../isa/decoder.ts';
import { randomRegisters } from './cases.ts';
import { runOracle } from './oracle.ts';
import { PAGE_BYTES, Random, type Case } from './registers.ts';
import { casePc } from './subject.ts';

/** Compares which words are allocated instructions. */

const SIGILL = 'signal 4';

/**
 * What the engine has and the Cortex-A57 lacks: FEAT_LSE, FEAT_LRCPC, FEAT_FlagM, and the ordered loads and stores of
 * FEAT_LOR.
 */
const BEYOND = /^(CAS|SWP|LDADD|LDAPR|RMIF|SETF)/;

/**
 * Groups of the main encoding table, each with a fixed pattern of bits 28:25. Branches and system instructions are left
 * out.
 */
const groups: readonly { readonly mask: number; readonly value: number }[] = [
  { mask: 0x1e00_0000, value: 0x0e00_0000 },
  { mask: 0x1e00_0000, value: 0x1e00_0000 },
  { mask: 0x1e00_0000, value: 0x0e00_0000 },
  { mask: 0x1e00_0000, value: 0x1e00_0000 },
  { mask: 0x1c00_0000, value: 0x1000_0000 },
  { mask: 0x0e00_0000, value: 0x0a00_0000 },
  { mask: 0x0a00_0000, value: 0x0800_0000 },
];

/** Bits of the cryptographic instructions, which the Cortex-A57 has and the engine does not. */
function isCryptographic(word: number): boolean {
  return (
    (word & 0xff3e_0c00) >>> 0 === 0x4e28_0800 ||
    (word & 0xffe0_8c00) >>> 0 === 0x5e00_0000 ||
    (word & 0xff3e_0c00) >>> 0 === 0x5e28_0800 ||
    // PMULL of 64-bit elements.
    (word & 0xbfe0_fc00) >>> 0 === 0x0ee0_e000
  );
}

/** Exclusives and ordered accesses: the meaning of zeros in their should-be-one fields is not defined. */
function isExclusive(word: number): boolean {
  return (word & 0x3f00_0000) === 0x0800_0000;
}

/** One line for each random word that is allocated only here or only on a Cortex-A57. */
export function allocationDifferences(seed: number, words: number): string[] {
  const random = new Random(seed);
  const cases: Case[] = [];
  while (cases.length < words) {
    const { mask, value } = random.pick(groups);
    let word = ((random.word() & ~mask) | value) >>> 0;
    // Less common encodings have many zeros.
    if (random.below(2) === 0) word = ((word & ~(random.word() & random.word())) | value) >>> 0;
    if (isCryptographic(word) || isExclusive(word)) continue;
    cases.push({ name: 'random word', word, pc: casePc(cases.length), registers: randomRegisters(random, word) });
  }
  const outcomes = runOracle(new Uint8Array(PAGE_BYTES), cases, 'cortex-a57');
  const found = new Map<string, string>();
  for (const [index, { word, pc }] of cases.entries()) {
    const known = decode(word, pc);
    const allocated = outcomes[index]?.fault !== SIGILL;
    if ((known !== undefined) === allocated || BEYOND.test(known?.row.definition.name ?? '')) continue;
    const hex = word.toString(16).padStart(8, '0');
    const name = known?.row.definition.name;
    const key = name ?? String(word & 0xffe0_fc00);
    if (!found.has(key)) found.set(key, name === undefined ? `${hex} is not known` : `${hex} is no ${name}`);
  }
  return [...found.values()];
}
