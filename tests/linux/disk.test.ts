import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { linux, linuxIsPrepared, petriTest } from 'petri-vm';
import { onTestFinished } from 'vitest';

const SECTOR = 512;
/** Every sector has a word of its own at its start. */
const contents = Buffer.alloc(2048 * SECTOR);
for (let sector = 0; sector < 2048; sector += 1) contents.write(`sector ${sector}\n`, sector * SECTOR);

petriTest(
  'none',
  'Linux reads and writes a disk, whose image stays as it is',
  { memory: '256M', requires: ['linux', 'exec'], timeout: 180_000 },
  async ({ launch, skip, expect }) => {
    skip(!linuxIsPrepared(), 'there is no kernel here: petri linux install downloads one');
    skip(!existsSync('.petri/linux/modules/wanted'), 'there is no driver for disks: petri linux install downloads one');
    const folder = mkdtempSync(join(tmpdir(), 'disk-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const disk = join(folder, 'disk');
    writeFileSync(disk, contents);

    const vm = await launch({ payload: linux({ disk }) });
    const line = (sector: number): string => `dd if=/dev/vda bs=512 skip=${sector} count=1 2>/dev/null | head -n 1`;
    expect(await vm.exec(`cat /sys/block/vda/size; ${line(0)}; ${line(2047)}`)).toEqual({
      stdout: '2048\nsector 0\nsector 2047\n',
      stderr: '',
      exitCode: 0,
    });
    const write =
      'echo written | dd of=/dev/vda bs=512 seek=7 conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches';
    expect((await vm.exec(`${write}; ${line(7)}; ${line(8)}`)).stdout).toBe('written\nsector 8\n');
    await vm.stop({ timeout: 30_000 });
    expect(await vm.halted).toEqual({ reason: 'power-off' });
    expect(readFileSync(disk).equals(contents)).toBe(true);
  },
);
