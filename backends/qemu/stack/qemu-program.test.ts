import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rmeShortage } from './qemu-program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-qemu-program-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('includes the output of a QEMU that does not start', async () => {
  const command = join(folder, 'qemu-system-aarch64');
  const words = 'error while loading shared libraries: libfdt.so.1: cannot open shared object file';
  writeFileSync(command, `#!/bin/sh\nprintf 'warning: old\\n%s\\n' '${words}' >&2\nexit 127\n`, { mode: 0o755 });
  expect(await rmeShortage(command)).toBe(`a QEMU with RME (it said: warning: old; ${words})`);
});

it('reports a missing program', async () => {
  expect(await rmeShortage(join(folder, 'nothing'))).toMatch(/ENOENT/);
});
