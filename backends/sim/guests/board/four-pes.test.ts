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
const folder = mkdtempSync(join(tmpdir(), 'petri-four-pes-'));
const elf = join(folder, 'four-pes.elf');
const COMPILE = ['-O1', '-march=armv8.2-a', '-mgeneral-regs-only', '-mstrict-align', '-ffreestanding', '-fno-pic'];
const LINK = ['-nostdlib', '-static', '-no-pie', '-Wl,-Ttext-segment=0x40200000,-e,_start'];

/** Runs the program on four vCPUs. @returns what it printed, how it ended, and the instructions of each vCPU */
function simulated(budget: number): { text: string; halt: unknown; retired: number; work: number } {
  let text = '';
  const config = resolveVmConfig({ memory: '64M', vcpus: 4 });
  const guest = imageGuests.prepare(
    image({ file: elf }),
    config,
    '',
  )({
    output: (port, bytes) => {
      if (port === 'console') text += Buffer.from(bytes).toString('latin1');
    },
    log: (message) => (text += `log: ${message}\n`),
  });
  guest.boot();
  let halt: unknown;
  while (halt === undefined && guest.work < 500_000_000) halt = guest.run(budget, () => false);
  const { retired, work } = guest;
  guest.release();
  return { text, halt, retired, work };
}

describe.skipIf(gcc === undefined)('a program for four PEs, a GICv3 and an ITS', () => {
  beforeAll(() => {
    const source = join(import.meta.dirname, 'testing', 'four-pes.c');
    const built = spawnSync(gcc ?? '', [...COMPILE, ...LINK, '-o', elf, source]);
    expect(String(built.stderr)).toBe('');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.skipIf(qemu === undefined)('prints what it prints on QEMU', () => {
    const machine = ['-machine', 'virt,gic-version=3,its=on', '-cpu', 'cortex-a76', '-smp', '4', '-m', '64M'];
    const peer = spawnSync(qemu ?? '', [...machine, '-nographic', '-nic', 'none', '-no-reboot', '-kernel', elf], {
      input: '',
    });
    const { text, halt } = simulated(200_000);
    expect(text).toBe(String(peer.stdout).replaceAll('\r', ''));
    expect(text).toContain('no device 3ff\n');
    expect(halt).toEqual({ reason: 'power-off' });
  });

  it('runs alike for any budget of its runs', () => {
    const once = simulated(200_000);
    for (const budget of [777, 33_333]) expect(simulated(budget)).toEqual(once);
  });
});
