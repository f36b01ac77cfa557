import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { linux, linuxIsPrepared, petriTest } from 'petri-vm';

// The kept states of whoever runs this are theirs.
const cache = mkdtempSync(join(tmpdir(), 'petri-cache-'));
process.env['PETRI_CACHE_DIR'] = cache;
afterAll(() => rmSync(cache, { recursive: true }));

petriTest(
  'none',
  'Linux goes on from a snapshot as often as a test wants, also after its end',
  { memory: '256M', requires: ['linux', 'exec', 'snapshot'], timeout: 120_000 },
  async ({ launch, skip, expect }) => {
    skip(!linuxIsPrepared(), 'there is no kernel here: petri linux install downloads one');
    const vm = await launch({ payload: linux() });
    await vm.exec('echo one > /tmp/file');
    await vm.serial.waitFor('petri: init has started');
    const snapshot = await vm.snapshot();
    const before = vm.instructions;
    const change = async (): Promise<unknown> => {
      const result = await vm.exec('cat /tmp/file; echo two > /tmp/file; cat /proc/uptime');
      // The count is exact at points where input arrives, and a snapshot is taken at one.
      await vm.snapshot();
      return { ...result, instructions: vm.instructions };
    };
    const first = await change();
    for (let n = 0; n < 3; n++) {
      await vm.restore(snapshot);
      expect(vm.instructions).toBe(before);
      expect(await change()).toEqual(first);
    }
    await vm.stop({ timeout: 30_000 });
    expect(await vm.halted).toEqual({ reason: 'power-off' });
    await vm.restore(snapshot);
    expect(await change()).toEqual(first);
    const other = await launch({ payload: linux() });
    await other.restore(snapshot);
    expect((await other.exec('cat /tmp/file')).stdout).toBe('one\n');
    expect((await vm.exec('cat /tmp/file')).stdout).toBe('two\n');
    await other.serial.waitFor('petri: init has started', { from: 'boot' });
  },
);

petriTest(
  'none',
  'tests begin in a Linux that has booted, and none sees another',
  { memory: '256M', vcpus: 2, requires: ['linux', 'exec', 'snapshot'], timeout: 240_000 },
  async ({ launch, skip, expect }) => {
    skip(!linuxIsPrepared(), 'there is no kernel here: petri linux install downloads one');
    const payload = linux({ snapshot: 'booted' });
    const counts: unknown[] = [];
    for (let n = 0; n < 8; n++) {
      const vm = await launch({ payload });
      // What the console showed while it booted is there.
      await vm.serial.waitFor('petri: init has started');
      await vm.serial.sendLine(`echo mine > /tmp/file; ls /tmp | wc -l; echo done`);
      await vm.serial.waitFor(/^1\ndone$/m);
      await vm.snapshot();
      counts.push(vm.instructions);
      await vm.kill();
    }
    expect(new Set(counts).size).toBe(1);
  },
);
