import { spawnSync } from 'node:child_process';
import { decode } from '../isa/decoder.ts';

/** Finds the instructions of real programs that the decoder does not know. */

const DISASSEMBLER = 'aarch64-linux-gnu-objdump';
const MAX_LISTING = 512 * 2 ** 20;

/** `  4009c4:\td503201f \tnop`: an instruction in objdump's output. */
const LISTED = /^\s*[0-9a-f]+:\t([0-9a-f]{8})\s*\t(\S+)(.*)$/;
/** Data between code, and encodings that are unallocated in every version. */
const NO_INSTRUCTION = /^(\.|udf)/;

export interface Unknown {
  readonly word: number;
  /** The instruction as objdump prints it. */
  readonly text: string;
}

export interface Listing {
  /** Number of instructions read. */
  readonly total: number;
  /** The first of each mnemonic and shape of operands. */
  readonly unknown: readonly Unknown[];
}

/** Masks register numbers and constants: they do not decide whether an instruction is known. */
function shapeOf(text: string): string {
  return text.replace(/0x[0-9a-f]+|\d+(?=[,\s\]}[!]|$)/g, 'N');
}

/** @param file an ELF file, or an archive of them */
export function unknownInstructions(file: string): Listing {
  const { stdout, status, stderr } = spawnSync(DISASSEMBLER, ['-d', '-M', 'no-aliases', file], {
    maxBuffer: MAX_LISTING,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${DISASSEMBLER} cannot read ${file}: ${stderr}`);
  const unknown = new Map<string, Unknown>();
  let total = 0;
  for (const line of stdout.split('\n')) {
    const [, hex = '', mnemonic = '', operands = ''] = LISTED.exec(line) ?? [];
    if (hex === '' || NO_INSTRUCTION.test(mnemonic)) continue;
    total += 1;
    const word = Number.parseInt(hex, 16);
    if (decode(word, 0) !== undefined) continue;
    const text = `${mnemonic}${operands}`;
    const shape = shapeOf(text);
    if (!unknown.has(shape)) unknown.set(shape, { word, text });
  }
  return { total, unknown: [...unknown.values()] };
}
