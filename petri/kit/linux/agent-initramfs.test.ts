import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { agentInitramfs } from './agent-initramfs.ts';

const TRAILER = 'TRAILER!!!\0';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-agent-initramfs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('consists of the agent, then the unchanged archive of the payload at an offset that the kernel accepts', () => {
  const path = join(folder, 'own');
  // An archive with unknown compression and an odd length.
  const own = Buffer.concat([Buffer.from('\x02\x21\x4c\x18', 'latin1'), randomBytes(1001)]);
  writeFileSync(path, own);
  const both = Buffer.from(agentInitramfs({ kind: 'linux', name: 'x', path: '/x', commandLine: '', initramfs: path }));
  const start = both.length - own.length;
  expect(both.subarray(start).equals(own)).toBe(true);
  expect(start % 4).toBe(0);
  const agent = both.subarray(0, start);
  expect(agent.toString('latin1', 0, 6)).toBe('070701');
  expect(agent.includes('petri/start.sh\0')).toBe(true);
  expect(agent.includes('petri/agent.sh\0')).toBe(true);
  const end = agent.indexOf(TRAILER) + TRAILER.length;
  expect(agent.length - end).toBeLessThan(4);
});
