import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { image } from '../../../../petri/payload/index.ts';
import { optionalTool } from '../../../../petri/unit-test/optional-tool.ts';
import { resolveVmConfig } from '../../../../petri/vm/index.ts';
import { imageGuests } from './image-guest.ts';

const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
const folder = mkdtempSync(join(tmpdir(), 'petri-hypervisor-'));
const elf = join(folder, 'hypervisor.elf');
const COMPILE = ['-O1', '-march=armv8.2-a', '-mgeneral-regs-only', '-mstrict-align', '-ffreestanding', '-fno-pic'];
const LINK = ['-nostdlib', '-static', '-no-pie', '-Wl,-Ttext-segment=0x40200000,-e,_start'];

/** Runs the program at EL2. @returns what it printed, and how it ended */
function simulated(budget: number): { text: string; halt: unknown; retired: number } {
  let text = '';
  const listener = {
    output: (port: string, bytes: Uint8Array) => {
      if (port === 'console') text += Buffer.from(bytes).toString('latin1');
    },
    log: () => undefined,
  };
  const config = resolveVmConfig({ memory: '64M' });
  const guest = imageGuests.prepare(image({ file: elf, el: 2 }), config, '')(listener);
  guest.boot();
  let halt: unknown;
  while (halt === undefined && guest.work < 100_000_000) halt = guest.run(budget, () => false);
  const { retired } = guest;
  guest.release();
  return { text, halt, retired };
}

describe.skipIf(gcc === undefined)('a hypervisor', () => {
  beforeAll(() => {
    const source = join(import.meta.dirname, 'testing', 'hypervisor.c');
    const built = spawnSync(gcc ?? '', [...COMPILE, ...LINK, '-o', elf, source]);
    expect(String(built.stderr)).toBe('');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.skipIf(qemu === undefined)('finds at EL2 what it finds there on QEMU', () => {
    const machine = ['-machine', 'virt,gic-version=3,virtualization=on', '-cpu', 'max', '-m', '64M'];
    const peer = spawnSync(qemu ?? '', [...machine, '-nographic', '-nic', 'none', '-no-reboot', '-kernel', elf], {
      input: '',
    });
    const { text, halt } = simulated(200_000);
    expect(text).toBe(String(peer.stdout).replaceAll('\r', ''));
    expect(text).toContain('done\n');
    expect(halt).toEqual({ reason: 'power-off' });
  });

  it('runs alike for any budget of its runs', () => {
    const once = simulated(200_000);
    expect(simulated(777)).toEqual(once);
  });
});
