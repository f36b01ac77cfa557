import { decode } from '../isa/decoder.ts';
import { randomRegisters } from './cases.ts';
import { runOracle, type Processor } from './oracle.ts';
import { PAGE_BYTES, Random, type Case } from './registers.ts';
import { casePc } from './subject.ts';

/** Compares which words are allocated instructions. */

const SIGILL = 'signal 4';

/**
 * What the engine has and the Cortex-A57 lacks: FEAT_LSE, FEAT_LRCPC to FEAT_LRCPC3, FEAT_FlagM, the ordered loads and
 * stores of FEAT_LOR, FEAT_RDM, FEAT_DotProd, FEAT_I8MM, FEAT_SHA512, FEAT_SHA3, FEAT_SM3, FEAT_SM4, FEAT_FCMA,
 * FEAT_FRINTTS, FEAT_JSCVT, FEAT_PAuth, FEAT_FHM, FEAT_BF16, FEAT_MOPS, FEAT_CSSC, and FEAT_FP16 but for its scalars.
 */
const BEYOND = new RegExp(
  [
    '^(CAS|SWP|LDADD|LDAPU?R|RMIF|SETF|SQRDML[AS]H|SDOT|USDOT|SUDOT|SMMLA|USMMLA|SHA512|EOR3|RAX1|XAR|SM[34])',
    '^(FC(ADD|MLA)|FRINT(32|64)|FJCVTZS|X?PAC|LDRAA|FML[AS]L|BF(DOT|MMLA|MLAL|CVT))',
    '^(CPYF|SETP|ABS .general|CTZ|SMAX, SMIN, UMAX, UMIN|LDIAPP|LDAP1)',
    'half-precision',
  ].join('|'),
);

/** Words with some fixed bits. */
interface Space {
  readonly mask: number;
  readonly value: number;
}

/**
 * Groups of the main encoding table, each with a fixed pattern of bits 28:25. Branches and system instructions are left
 * out.
 */
const groups: readonly Space[] = [
  { mask: 0x1e00_0000, value: 0x0e00_0000 },
  { mask: 0x1e00_0000, value: 0x1e00_0000 },
  { mask: 0x1e00_0000, value: 0x0e00_0000 },
  { mask: 0x1e00_0000, value: 0x1e00_0000 },
  { mask: 0x1c00_0000, value: 0x1000_0000 },
  { mask: 0x0e00_0000, value: 0x0a00_0000 },
  { mask: 0x0a00_0000, value: 0x0800_0000 },
];

/** Scalar floating point with a `type` of half precision, of which Armv8.0 has FCVT only. */
const halfScalars: Space = { mask: 0x5ec0_0000, value: 0x1ec0_0000 };

/** Where the engine has all that a processor with every extension has, but for `absent`. */
const extensions: readonly Space[] = [
  // Three-register extension: FEAT_RDM, FEAT_DotProd, FEAT_I8MM.
  { mask: 0x9f20_c400, value: 0x0e00_8400 },
  { mask: 0xdf20_8400, value: 0x5e00_8400 },
  // The same by element.
  { mask: 0x9f00_d400, value: 0x0f00_d000 },
  { mask: 0xdf00_d400, value: 0x5f00_d000 },
  { mask: 0x9f00_f400, value: 0x0f00_e000 },
  // Cryptographic AES, two- and three-register SHA; three different with 64-bit elements.
  { mask: 0xff3e_0c00, value: 0x4e28_0800 },
  { mask: 0xff3e_0c00, value: 0x5e28_0800 },
  { mask: 0xff20_8c00, value: 0x5e00_0000 },
  { mask: 0xbfe0_0c00, value: 0x0ee0_0000 },
  // SHA512, SHA3, SM3, SM4.
  { mask: 0xff00_0000, value: 0xce00_0000 },
  // FEAT_FCMA.
  { mask: 0xbf20_c400, value: 0x2e00_c400 },
  { mask: 0xbf00_9400, value: 0x2f00_1000 },
  // FEAT_FRINTTS and FEAT_JSCVT.
  { mask: 0xff3e_7c00, value: 0x1e28_4000 },
  { mask: 0x9fbf_ec00, value: 0x0e21_e800 },
  { mask: 0x7f3f_fc00, value: 0x1e3e_0000 },
  // FEAT_PAuth where nothing can fail to authenticate.
  { mask: 0xffff_9000, value: 0xdac1_0000 },
  { mask: 0xffe0_fc00, value: 0x9ac0_3000 },
  // FEAT_LRCPC2.
  { mask: 0x3f20_0c00, value: 0x1900_0000 },
  // FEAT_FHM and FEAT_BF16: what is not below.
  { mask: 0x9f60_f400, value: 0x0e20_c400 },
  { mask: 0xbf3e_fc00, value: 0x0e20_6800 },
  { mask: 0xff3e_fc00, value: 0x1e22_4000 },
  // FEAT_FP16: scalars; three same; two-register miscellaneous; across lanes and pairwise.
  halfScalars,
  { mask: 0x9f60_c400, value: 0x0e40_0400 },
  { mask: 0xdf60_c400, value: 0x5e40_0400 },
  { mask: 0x9f7e_0c00, value: 0x0e78_0800 },
  { mask: 0xdf7e_0c00, value: 0x5e78_0800 },
  { mask: 0xbf7e_0c00, value: 0x0e30_0800 },
  { mask: 0xff7e_0c00, value: 0x5e30_0800 },
  // The same by element, as fixed-point numbers, and as immediate, where QEMU ignores the bit that must be zero.
  { mask: 0x9fc0_0400, value: 0x0f00_0000 },
  { mask: 0xdfc0_0400, value: 0x5f00_0000 },
  { mask: 0x9ff0_0400, value: 0x0f10_0400 },
  { mask: 0xdff0_0400, value: 0x5f10_0400 },
  { mask: 0xbff8_0c00, value: 0x0f00_0c00 },
];

const absent: readonly Space[] = [
  // Unallocated, but QEMU aborts: FABS, FNEG and FSQRT of FEAT_FP16 as Advanced SIMD scalars, and FRECPX of a vector.
  { mask: 0xdfff_fc00, value: 0x5ef8_f800 },
  { mask: 0xffff_fc00, value: 0x7ef9_f800 },
  { mask: 0xbfff_fc00, value: 0x0ef9_f800 },
];

function within(word: number, { mask, value }: Space): boolean {
  return (word & mask) >>> 0 === value;
}

/** Exclusives and ordered accesses: the meaning of zeros in their should-be-one fields is not defined. */
function isExclusive(word: number): boolean {
  return (word & 0x3f00_0000) === 0x0800_0000;
}

/** A random word of one of the spaces. */
function randomWord(random: Random, spaces: readonly Space[]): number {
  const { mask, value } = random.pick(spaces);
  const word = ((random.word() & ~mask) | value) >>> 0;
  // Less common encodings have many zeros.
  return random.below(2) === 0 ? ((word & ~(random.word() & random.word())) | value) >>> 0 : word;
}

function differences(
  seed: number,
  words: number,
  spaces: readonly Space[],
  processor: Processor,
  ignored: (word: number, name: string | undefined) => boolean,
): string[] {
  const random = new Random(seed);
  const cases: Case[] = [];
  while (cases.length < words) {
    const word = randomWord(random, spaces);
    const pc = casePc(cases.length);
    if (ignored(word, decode(word, pc)?.row.definition.name)) continue;
    cases.push({ name: 'random word', word, pc, registers: randomRegisters(random, word) });
  }
  const outcomes = runOracle(new Uint8Array(PAGE_BYTES), cases, processor);
  const found = new Map<string, string>();
  for (const [index, { word, pc }] of cases.entries()) {
    const known = decode(word, pc);
    const allocated = outcomes[index]?.fault !== SIGILL;
    if ((known !== undefined) === allocated) continue;
    const hex = word.toString(16).padStart(8, '0');
    const name = known?.row.definition.name;
    const key = name ?? String(word & 0xffe0_fc00);
    if (!found.has(key)) found.set(key, name === undefined ? `${hex} is not known` : `${hex} is no ${name}`);
  }
  return [...found.values()];
}

/** One line for each random word that is allocated only here or only on a Cortex-A57. */
export function allocationDifferences(seed: number, words: number): string[] {
  return differences(seed, words, groups, 'cortex-a57', (word, name = '') => {
    const halfScalar = within(word, halfScalars) && name !== '' && name !== 'FCVT';
    return isExclusive(word) || BEYOND.test(name) || halfScalar;
  });
}

/** The same for extensions that the Cortex-A57 lacks, where the processor that has them all is compared with. */
export function extensionDifferences(seed: number, words: number): string[] {
  return differences(seed, words, extensions, 'max', (word) => absent.some((space) => within(word, space)));
}
