import { expect, it } from 'vitest';

import { generalDefinitions, simdAndFpDefinitions } from '../isa/index.ts';
import { RecordTemplates } from './record-templates.ts';

it('returns the record of a word, with the properties of its instruction', () => {
  const templates = new RecordTemplates();
  const memory = Uint32Array.of(0, 0, 0, 0, 1, 2, 3, 4);
  templates.add(0xd65f_03c0, memory, 4, true, true);
  const place = templates.find(0xd65f_03c0);
  templates.copyTo(memory, 0, place);
  expect([...memory.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
  expect([templates.isSimd(place), templates.ends(place)]).toEqual([true, true]);
  expect(templates.find(0)).toBe(-1);
});

it('discards old words instead of growing without bound', () => {
  const templates = new RecordTemplates();
  const memory = new Uint32Array(4);
  for (let word = 0; word < 40_000; word += 1) templates.add(word, memory, 0, false, false);
  expect(templates.find(0)).toBe(-1);
  expect(templates.find(39_999)).toBeGreaterThanOrEqual(0);
});

it('never gets an instruction whose decoding depends on its address', () => {
  const decodesDifferently = [...generalDefinitions, ...simdAndFpDefinitions].filter(({ encoding, decode, usesPc }) => {
    const texts = [0x1000, 0x2000].map((pc) =>
      JSON.stringify(decode(encoding.value, pc), (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      ),
    );
    return texts[0] !== texts[1] && !usesPc;
  });
  expect(decodesDifferently.map(({ name }) => name)).toEqual([]);
});
