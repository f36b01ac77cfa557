import { expect, it } from 'vitest';

import { bootOnce } from './warm-up.ts';

it('boots a realm that logs a line and completes', async () => {
  expect(await bootOnce()).toBe('warm\n');
});
