import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { encodingGroups } from '../testing/encoding-classes.ts';
import { classOf, instructionOf, instructionsOf, instructionTable, sample } from '../testing/instruction-table.ts';

const file = fileURLToPath(new URL('../../../../docs/isa.md', import.meta.url));
const classes = encodingGroups.flatMap((group) => group.classes);

describe('docs/isa.md', () => {
  it('is up to date: npm run docs:isa writes it', async () => {
    const options = await resolveConfig(file);
    expect(readFileSync(file, 'utf8')).toBe(await format(instructionTable(), { ...options, filepath: file }));
  });

  it('has a class for every instruction of the decoder', () => {
    const words = sample('x xxx xxxx xxxxxxxx xxxxxxxx xxxxxxxx', 100_000);
    const lost = words.filter((word) => instructionOf(word) !== undefined && classOf(word) === undefined);
    expect(lost.map((word) => word.toString(16))).toEqual([]);
  });

  it('gives the feature that a class without instructions lacks', () => {
    const wrong = classes.filter((of) => (instructionsOf(of).length === 0) !== (of.feature !== undefined));
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('calls nothing undefined that is an instruction', () => {
    for (const { absent = [] } of classes) {
      for (const { instructions, patterns } of absent) {
        const known = patterns
          .flatMap((pattern) => sample(pattern, 500))
          .filter((word) => instructionOf(word) !== undefined);
        expect(known.map((word) => `${instructions}: ${word.toString(16)}`)).toEqual([]);
      }
    }
  });
});
