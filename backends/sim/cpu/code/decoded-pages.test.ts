import { expect, it } from 'vitest';

import { Record, RECORD_PAGE_BYTES } from '../layout.ts';
import { LinearMemory } from '../linear-memory.ts';
import { blockId } from '../tier0/handler-ids.ts';
import { FixedHandler, HandlerLibrary } from '../tier0/handlers.ts';
import { DecodedPages } from './decoded-pages.ts';

const SOURCE = 0x1_0000;
const VA = -0x4000;

/** Records of a page, some of which name a handler. */
function records(handlers: Readonly<Record<number, number>>): Uint8Array {
  const words = new Uint16Array(RECORD_PAGE_BYTES / 2);
  for (const [index, handler] of Object.entries(handlers)) words[(Number(index) * Record.Bytes) / 2] = handler;
  return new Uint8Array(words.buffer);
}

it('merges what several machines decoded of a page, without blocks and traps of their own', () => {
  const memory = new LinearMemory(2 * 65_536);
  const pages = new DecodedPages();
  const library = new HandlerLibrary();
  const code = (): Uint8Array => memory.u8.slice(SOURCE, SOURCE + 4096);
  const [first, second] = [40, 41];
  pages.keep(VA, code(), records({ 0: first, 1: blockId(3), 2: FixedHandler.SimdTrap }), library);
  pages.keep(VA, code(), records({ 0: FixedHandler.SimdTrap, 1: second, 5: second }), library);
  const found = pages.find(memory, VA, SOURCE);
  const words = new Uint16Array(found?.records.buffer ?? new ArrayBuffer(0));
  expect([0, 1, 2, 5].map((index) => words[(index * Record.Bytes) / 2])).toEqual([
    first,
    second,
    FixedHandler.Decode,
    second,
  ]);
  expect(found?.handlers).toEqual(expect.arrayContaining([first, second]));
  memory.u8[SOURCE] = 1;
  expect(pages.find(memory, VA, SOURCE)).toBe(undefined);
  expect(pages.find(memory, 0, SOURCE)).toBe(undefined);
});
