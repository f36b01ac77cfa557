import { expect, it } from 'vitest';

import { blockId, handlerId, handlerNumber, isBlock, MAX_BLOCKS, MAX_HANDLERS } from './handler-ids.ts';

it('gives each of the 65,536 ids to one handler or one block', () => {
  const handlers = Array.from({ length: MAX_HANDLERS }, (_, n) => handlerId(n));
  const blocks = Array.from({ length: MAX_BLOCKS }, (_, n) => blockId(n));
  expect(new Set([...handlers, ...blocks]).size).toBe(65_536);
  expect(Math.max(...handlers, ...blocks)).toBe(65_535);
  expect(handlers.some(isBlock)).toBe(false);
  expect(blocks.every(isBlock)).toBe(true);
  expect(handlers.map(handlerNumber)).toEqual(handlers.map((_, n) => n));
});
