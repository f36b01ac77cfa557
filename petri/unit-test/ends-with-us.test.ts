import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

import { endsWithUs } from './ends-with-us.ts';

it('ends a program with the pipe to it, and keeps none from ending by itself', async () => {
  const start = (code: string) =>
    spawn(process.execPath, [...endsWithUs, '--eval', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  const endless = start('console.log("there"); setInterval(() => undefined, 2 ** 30)');
  await once(endless.stdout, 'data');
  const ended = once(endless, 'exit');
  endless.stdin.destroy();
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(await once(start(''), 'exit')).toEqual([0, null]);
});
