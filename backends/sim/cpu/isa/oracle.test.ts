import { describe, expect, it } from 'vitest';
import { comparable, compare } from '../testing/compare.ts';
import { missingTools } from '../testing/oracle.ts';

/** Chosen anew by whoever wants other cases: PETRI_ORACLE_SEED=7 npx vitest run oracle. */
const seed = Number(process.env['PETRI_ORACLE_SEED'] ?? 20_260_801);
const perDefinition = Number(process.env['PETRI_ORACLE_CASES'] ?? 20);

const missing = missingTools();

describe.skipIf(missing !== undefined)(`instructions executed here and on QEMU${missing ?? ''}`, () => {
  it(`leave the same registers and memory (seed ${String(seed)})`, { timeout: 600_000 }, () => {
    const { byName, differences } = compare(seed, perDefinition);
    expect(differences).toEqual([]);
    // Every definition took part.
    expect(comparable.filter(({ name }) => !byName.has(name)).map(({ name }) => name)).toEqual([]);
  });
});
