import { expect, it } from 'vitest';

import { bootOnce } from './warm-up.ts';

it('boots a realm to the end of its program, which says so', async () => {
  expect(await bootOnce()).toBe('warm\n');
});
