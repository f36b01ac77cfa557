import { decode } from '../isa/decoder.ts';
import { parseEncoding, type Encoding } from '../isa/encoding.ts';
import { findSystemOperation } from '../pe/system-operations.ts';
import { encodeSysreg, findSysreg } from '../pe/system-registers.ts';
import { PstateField } from '../pe/system-instructions.ts';
import { encodingGroups, type EncodingClass } from './encoding-classes.ts';
import { Random } from './registers.ts';

/** Which classes of encodings the engine has: the contents of docs/isa.md. */

/** Random words of each pattern: enough to find every row of the decoder. */
const SAMPLES = 6000;
const SEED = 1;

const mrsMsr = parseEncoding('1101010100 L 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5');
const sys = parseEncoding('1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5');
const pstateFields = new Set<number>(Object.values(PstateField));
const IMMEDIATE = encodeSysreg(0, 0, 0, 15, 0);
const pstate = parseEncoding('1101010100000 op1:3 0100 CRm:4 op2:3 11111');

export function matches(word: number, { mask, value }: Encoding): boolean {
  return (word & mask) >>> 0 === value;
}

function encodingOf(word: number, encoding: Encoding, op0: number): number {
  const { op1 = 0, CRn = 4, CRm = 0, op2 = 0 } = encoding.fields(word);
  return encodeSysreg(op0, op1, CRn, CRm, op2);
}

/** The name of the decoder's row for a word, if the word is an instruction. */
export function instructionOf(word: number): string | undefined {
  const name = decode(word, 0)?.row.definition.name;
  if (name === undefined) return undefined;
  if (matches(word, mrsMsr)) return findSysreg(encodingOf(word, mrsMsr, 2 + ((word >>> 19) & 1))) && name;
  if (name === 'SYS') return findSystemOperation(encodingOf(word, sys, 1)) && name;
  if (name === 'MSR (immediate)') return pstateFields.has(encodingOf(word, pstate, 0) & ~IMMEDIATE) ? name : undefined;
  return name;
}

/** Random words of a pattern; fields of mostly zeros or ones are as frequent as others. */
export function sample(pattern: string, count = SAMPLES): number[] {
  const { mask, value } = parseEncoding(pattern);
  const random = new Random(SEED);
  return Array.from({ length: count }, () => {
    const kind = random.below(3);
    const free = random.word();
    const other = random.word();
    return (value | ((kind === 0 ? free : kind === 1 ? free & other : free | other) & ~mask)) >>> 0;
  });
}

const classes = encodingGroups.flatMap((group) =>
  group.classes.map((of) => ({ of, encoding: parseEncoding(of.pattern) })),
);

export function classOf(word: number): EncodingClass | undefined {
  return classes.find(({ encoding }) => matches(word, encoding))?.of;
}

/** Names of the instructions in a class, in the order of the decoder's rows. */
export function instructionsOf(of: EncodingClass): string[] {
  const own = sample(of.pattern).filter((word) => classOf(word) === of);
  return [...new Set(own.flatMap((word) => instructionOf(word) ?? []))].sort();
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function status(of: EncodingClass, instructions: readonly string[]): string {
  if (instructions.length === 0) return `undefined (${of.feature ?? 'unallocated'})`;
  const absent = (of.absent ?? []).map((part) => `${part.instructions} undefined (${part.feature})`);
  return ['implemented', ...absent].join('; ');
}

/** docs/isa.md. */
export function instructionTable(): string {
  const parts = [
    '# A64 by encoding',
    [
      'Every class of encodings of the Arm ARM (C4.1) and what the simulator has of it. `npm run docs:isa` writes this file',
      'from the table of classes in `backends/sim/cpu/testing/encoding-classes.ts` and from the decoder, and a test fails',
      'where it is out of date. An undefined instruction takes the exception that the Arm ARM says, and the log of the VM',
      'names it. SVE, SME and MTE are absent; the identification registers say what is there, and a test compares them with',
      'the decoder.',
    ].join('\n'),
  ];
  for (const group of encodingGroups) {
    const rows = group.classes.map((of) => {
      const instructions = instructionsOf(of);
      return `| ${cell(of.name)} | ${cell(status(of, instructions))} | ${cell(instructions.join('; '))} |`;
    });
    parts.push(`## ${group.name}`, ['| Class | Status | Instructions |', '| --- | --- | --- |', ...rows].join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}
