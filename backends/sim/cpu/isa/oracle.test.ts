import { describe, expect, it } from 'vitest';
import { allocationDifferences, extensionDifferences } from '../testing/allocation.ts';
import { codeFields, comparable, compare } from '../testing/compare.ts';
import { missingTools } from '../testing/oracle.ts';

/**
 * For other cases, and more of them: `PETRI_ORACLE_SEED=7 PETRI_ORACLE_CASES=1000 npx vitest run isa/oracle
 * --testTimeout=0`.
 */
const seed = Number(process.env['PETRI_ORACLE_SEED'] ?? 20_260_801);
const perDefinition = Number(process.env['PETRI_ORACLE_CASES'] ?? 20);
const randomWords = perDefinition * 500;

const missing = missingTools();
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;

describe.skipIf(missing !== undefined)(`Instructions, compared with QEMU on random cases${reason}`, () => {
  it(`leave the same registers and memory (seed ${String(seed)})`, () => {
    const { byName, differences } = compare(seed, perDefinition);
    expect(differences).toEqual([]);
    // Every definition was tested.
    expect(comparable.filter(({ name }) => !byName.has(name)).map(({ name }) => name)).toEqual([]);
  });

  it(`leave the same registers and memory when compiled (seed ${String(seed)})`, () => {
    expect(compare(seed, Math.ceil(perDefinition / 10), comparable, 'compiled').differences).toEqual([]);
  });

  it(`round fused multiply-adds once (seed ${String(seed)})`, () => {
    const fused = comparable.filter(({ name }) => /^(FMADD|FMLA|FMLS)/.test(name));
    const { compared, differences } = compare(seed, perDefinition * 15, fused);
    expect(compared).toBeGreaterThan(perDefinition * 15);
    expect(differences).toEqual([]);
  });

  it('add authentication codes to the same bits of pointers', () => {
    const { here, there } = codeFields(seed, 400);
    expect(here).toHaveLength(4);
    expect(here).toEqual(there);
  });

  it(`are allocated as in Armv8.0 (seed ${String(seed)})`, () => {
    expect(allocationDifferences(seed, randomWords)).toEqual([]);
  });

  it(`are allocated as where every extension is implemented (seed ${String(seed)})`, () => {
    expect(extensionDifferences(seed, perDefinition * 200)).toEqual([]);
  });
});
