import { generalDefinitions, simdAndFpDefinitions } from '../isa/index.ts';
import { branches } from '../isa/branches.ts';
import { commonSequences } from '../isa/common-sequences.ts';
import { memoryOperations } from '../isa/memory-operations.ts';
import { orderedPairs, orderedVectors } from '../isa/ordered-vectors-and-pairs.ts';
import { authenticatedBranches, pointerAuthentication } from '../isa/pointer-authentication.ts';
import { system } from '../isa/system.ts';
import { decode } from '../isa/decoder.ts';
import type { Definition } from '../isa/definition.ts';
import { randomCase, randomRegisters } from './cases.ts';
import { runOracle } from './oracle.ts';
import { casePc, Subject, type Tier } from './subject.ts';
import { PAGE_BYTES, Random, RegisterFile, type Case, type Outcome } from './registers.ts';

/**
 * Branches and system instructions need more than a register file, authentication codes are implementation defined, and
 * QEMU 7.2 lacks FEAT_MOPS, FEAT_CSSC and FEAT_LRCPC3.
 */
const incomparable = new Set([
  ...branches,
  ...authenticatedBranches,
  ...pointerAuthentication,
  ...system,
  ...memoryOperations,
  ...commonSequences,
  ...orderedPairs,
  ...orderedVectors,
]);

/** Definitions that can be tested on a bare register file. */
export const comparable: readonly Definition[] = [...generalDefinitions, ...simdAndFpDefinitions].filter(
  (definition) => !incomparable.has(definition),
);

export interface Comparison {
  /** Cases that both sides executed. */
  readonly compared: number;
  /** Cases that both sides executed, by name of the definition. */
  readonly byName: ReadonlyMap<string, number>;
  /** One line for each difference. */
  readonly differences: readonly string[];
}

/** FCVTZS (scalar, fixed-point) of a half: QEMU writes negative results with 32 bits, of which 16 should be zero. */
function isWrittenTooWide(word: number): boolean {
  return (word & 0xfff0_fc00) >>> 0 === 0x5f10_fc00;
}

function hex(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

/** Names and values of what differs. */
function differences(item: Case, expected: Outcome, actual: Outcome): string[] {
  const found: string[] = [];
  const views = [item.registers, expected.registers, actual.registers].map(
    (registers) => new DataView(registers.buffer, registers.byteOffset),
  );
  const [before, wanted, got] = views;
  if (before === undefined || wanted === undefined || got === undefined) return found;
  if (isWrittenTooWide(item.word)) wanted.setUint16(RegisterFile.V + (item.word & 31) * 16 + 2, 0, true);
  const check = (name: string, at: number): void => {
    if (wanted.getBigUint64(at, true) === got.getBigUint64(at, true)) return;
    const values = [wanted, got, before].map((view) => hex(view.getBigUint64(at, true)));
    found.push(`${name} should be ${values[0] ?? ''}, is ${values[1] ?? ''} (was ${values[2] ?? ''})`);
  };
  for (let n = 0; n < 31; n += 1) check(`X${String(n)}`, RegisterFile.X + n * 8);
  check('SP', RegisterFile.Sp);
  check('NZCV', RegisterFile.Nzcv);
  check('FPCR', RegisterFile.Fpcr);
  for (let v = 0; v < 32; v += 1) {
    check(`V${String(v)}.D[0]`, RegisterFile.V + v * 16);
    check(`V${String(v)}.D[1]`, RegisterFile.V + v * 16 + 8);
  }
  check('FPSR', RegisterFile.Fpsr);
  const { changed } = expected;
  const same = changed.bytes.length === actual.changed.bytes.length && changed.at === actual.changed.at;
  if (!same || changed.bytes.some((byte, at) => byte !== actual.changed.bytes[at])) {
    const show = (side: Outcome): string =>
      `${String(side.changed.at)}:${Buffer.from(side.changed.bytes).toString('hex')}`;
    found.push(`memory should have ${show(expected)}, has ${show(actual)}`);
  }
  return found;
}

/** One line for each random case of some definitions that differs between the tiers. */
export function tierDifferences(seed: number, perDefinition: number, definitions: readonly Definition[]): string[] {
  const random = new Random(seed);
  const pattern = Uint8Array.from({ length: PAGE_BYTES }, () => random.word() & 0xff);
  const cases = Array.from({ length: perDefinition }, () => definitions)
    .flat()
    .flatMap((definition, index) => randomCase(random, definition, casePc(index)) ?? []);
  const [interpreted, compiled] = (['interpreted', 'compiled'] as const).map((tier) =>
    new Subject(pattern).run(cases, tier),
  );
  return cases.flatMap((item, index) => {
    const [first, second] = [interpreted?.[index], compiled?.[index]];
    if (first === undefined || second === undefined) return [`${item.name} was not executed`];
    if (first.fault !== second.fault) return [`${item.name}: ${String(first.fault)}, but ${String(second.fault)}`];
    return differences(item, first, second).map((line) => `${item.name}: ${line}`);
  });
}

/** PACIA, PACIB, PACDA, PACDB and their forms with a modifier of zero. */
const ADDS_CODE = { mask: 0xffff_d000, value: 0xdac1_0000 } as const;

/**
 * The bits of pointers in which instructions put authentication codes, here and on QEMU, for pointers of either half.
 * The codes themselves differ.
 */
export function codeFields(seed: number, count: number): { here: string[]; there: string[] } {
  const random = new Random(seed);
  const cases: Case[] = [];
  while (cases.length < count) {
    const word = (ADDS_CODE.value | (random.word() & ~ADDS_CODE.mask)) >>> 0;
    const pc = casePc(cases.length);
    const registers = randomRegisters(random, word);
    const top = pointerOf(word, registers) >> 55n;
    // Without FEAT_CONSTPACFIELD, which QEMU 7.2 lacks, bit 63 may choose the half.
    const isOf = (top & 1n) === top >> 8n;
    if (isOf && (word & 31) !== 31 && decode(word, pc) !== undefined) {
      cases.push({ name: 'PAC', word, pc, registers });
    }
  }
  const pattern = new Uint8Array(PAGE_BYTES);
  const fields = (outcomes: readonly Outcome[]): string[] => {
    const changed = new Map<string, bigint>();
    for (const [index, { word, registers }] of cases.entries()) {
      const before = pointerOf(word, registers);
      const key = `${(word & (1 << 11)) === 0 ? 'instruction' : 'data'}, bit 55 ${String((before >> 55n) & 1n)}`;
      const bits = before ^ pointerOf(word, outcomes[index]?.registers ?? registers);
      changed.set(key, (changed.get(key) ?? 0n) | bits);
    }
    return [...changed].map(([key, bits]) => `${key}: ${hex(bits)}`).sort();
  };
  return { here: fields(new Subject(pattern).run(cases)), there: fields(runOracle(pattern, cases)) };
}

/** The register that an instruction names as Rd. */
function pointerOf(word: number, registers: Uint8Array): bigint {
  const view = new DataView(registers.buffer, registers.byteOffset);
  return view.getBigUint64(RegisterFile.X + (word & 31) * 8, true);
}

/** Values of the registers that the word may name, to explain a difference. */
function operands(item: Case): string {
  const view = new DataView(item.registers.buffer, item.registers.byteOffset);
  const numbers = [0, 5, 16, 10].map((shift) => (item.word >>> shift) & 31);
  const show = (n: number): string => {
    const at = RegisterFile.V + n * 16;
    const x = n < 31 ? hex(view.getBigUint64(RegisterFile.X + n * 8, true)) : 'sp/zr';
    return `X${String(n)}=${x} V${String(n)}=${hex(view.getBigUint64(at + 8, true))}_${hex(view.getBigUint64(at, true))}`;
  };
  const fpcr = view.getUint32(RegisterFile.Fpcr, true).toString(16);
  return `fpcr=${fpcr} ${numbers.map(show).join(' ')}`;
}

/**
 * Executes random cases of each definition here and on QEMU.
 *
 * @param perDefinition cases of each definition
 */
export function compare(
  seed: number,
  perDefinition: number,
  definitions: readonly Definition[] = comparable,
  tier: Tier = 'interpreted',
): Comparison {
  const random = new Random(seed);
  const pattern = Uint8Array.from({ length: PAGE_BYTES }, () => random.word() & 0xff);
  const cases: Case[] = [];
  for (let round = 0; round < perDefinition; round += 1) {
    for (const definition of definitions) {
      const item = randomCase(random, definition, casePc(cases.length));
      if (item !== undefined) cases.push(item);
    }
  }
  const actual = new Subject(pattern).run(cases, tier);
  const expected = runOracle(pattern, cases);
  const byName = new Map<string, number>();
  const found: string[] = [];
  let compared = 0;
  for (const [index, item] of cases.entries()) {
    const [here, there] = [actual[index], expected[index]];
    if (here === undefined || there === undefined || here.fault === 'memory') continue;
    const problems =
      here.fault === undefined && there.fault === undefined
        ? differences(item, there, here)
        : here.fault !== there.fault
          ? [`should ${there.fault ?? 'be executed'}, but here: ${here.fault ?? 'executed'}`]
          : [];
    compared += 1;
    byName.set(item.name, (byName.get(item.name) ?? 0) + 1);
    if (problems.length > 0) {
      found.push(`${item.name} ${item.word.toString(16).padStart(8, '0')}: ${problems.join('; ')}; ${operands(item)}`);
    }
  }
  return { compared, byName, differences: found };
}
