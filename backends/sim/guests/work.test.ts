import { describe, expect, it } from 'vitest';

import { tmk } from '../../../petri/payload/index.ts';
import { resolveVmConfig } from '../../../petri/vm/index.ts';
import type { Guest } from './guest.ts';
import { plainGuests } from './plain/plain-guest.ts';
import { realmGuests } from './realm/realm-guest.ts';

const listener = { print: () => undefined, log: () => undefined };
const config = resolveVmConfig({ memory: '64M' });

const kinds: readonly [string, (payload: ReturnType<typeof tmk>) => Guest][] = [
  ['a realm', (payload) => realmGuests.make(payload, config, listener)],
  ['a plain VM', (payload) => plainGuests.make(payload, config, listener)],
];

/** Counts and registers when a test of a payload halted, or reached `most`. */
function outcome(make: () => Guest, index: number, slice: number, most: number): object {
  const guest = make();
  guest.boot(index);
  let halt: unknown;
  while (halt === undefined && guest.work < most) halt = guest.run(Math.min(slice, most - guest.work), () => false);
  const { retired, work } = guest;
  guest.release();
  return { retired, work, halt };
}

describe.each(kinds)('the work of %s', (_, makeOf) => {
  it.each([
    ['exits', 'counts exits', 10_000_000],
    ['verdicts', 'counts system instructions', 10_000_000],
    ['loop', 'ends a loop of exceptions at the same one', 300_000],
  ])('is the same for any slicing and on a used machine: %s (%s)', (name, _what, most) => {
    const payload = tmk(name);
    const tests = payload.image.tests.filter((test) => name !== 'loop' || test.name === 'exception_loop');
    for (const { index } of tests) {
      const results = [200_000, 5000, 64, 200_000].map((slice) =>
        outcome(() => makeOf(payload), index, slice, most),
      ) as { retired: number; work: number }[];
      for (const result of results.slice(1)) expect(result).toEqual(results[0]);
      expect(results[0]?.work).toBeGreaterThan(results[0]?.retired ?? Infinity);
    }
  });

  it('counts an exception as many instructions', () => {
    const payload = tmk('loop');
    const index = payload.image.tests.find(({ name }) => name === 'exception_loop')?.index ?? -1;
    const result = outcome(() => makeOf(payload), index, 200_000, 1_000_000) as { retired: number };
    expect(result.retired).toBeLessThan(1_000_000 / 50);
  });
});
