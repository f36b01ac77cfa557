import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { image } from '../../petri/payload/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig } from '../../petri/vm/index.ts';
import { backend } from './index.ts';

const gdb = optionalTool('gdb-multiarch', 'gdb-multiarch');
const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');

/** Starts a second PE, which counts; waits until it has counted to three, and powers off. */
const SOURCE = `
    .globl _start, second, counted, counter
_start:
    ldr x0, =0xc4000003
    mov x1, #1
    adr x2, second
    mov x3, #0
    hvc #0
    adr x4, counter
1:  ldr w5, [x4]
    cmp w5, #3
    b.lt 1b
counted:
    ldr x0, =0x84000008
    hvc #0
second:
    adr x4, counter
    mov w5, #0
2:  add w5, w5, #1
    str w5, [x4]
    cmp w5, #3
    b.lt 2b
3:  wfi
    b 3b
    .balign 8
counter:
    .word 0, 0
`;

const folder = mkdtempSync(join(tmpdir(), 'petri-gdb-board-'));
const elf = join(folder, 'two.elf');

beforeAll(() => {
  if (gcc === undefined) return;
  const source = join(folder, 'two.S');
  writeFileSync(source, SOURCE);
  const args = ['-g', '-nostdlib', '-static', '-Wl,-N,--build-id=none,-Ttext=0x40200000', '-o', elf, source];
  // The linker warns of memory that is written and executed, which is all that such a program has.
  expect(spawnSync(gcc, args).status).toBe(0);
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(gdb === undefined || gcc === undefined)('gdb-multiarch at a board of two PEs', () => {
  it('sees both as threads, steps one, breaks and watches on the other, and is told that there is no way back', async () => {
    vi.stubEnv('PETRI_GDB', '0,wait');
    const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const vm = await launchVm(
      backend,
      { isolation: 'none', payload: image({ file: elf }), config: resolveVmConfig({ vcpus: 2 }), machine: 'fresh' },
      { directory: mkdtempSync(join(folder, 'vm-')), features: ['image'] },
    );
    try {
      await vm.start();
      const log = readFileSync(join(vm.directory, 'petri.log'), 'utf8');
      const attach = /'(target remote 127\.0\.0\.1:\d+)'/.exec(log)?.[1] ?? '';
      const commands = [
        'set confirm off',
        'set width 0',
        attach,
        'info threads',
        'printf "first at %d\\n", (long) $pc - (long) &_start',
        'break second',
        'continue',
        'printf "now thread %d\\n", $_thread',
        'stepi',
        'printf "second at %d\\n", (long) $pc - (long) &second',
        'watch *(unsigned *) &counter if *(unsigned *) &counter == 2',
        'continue',
        'printf "w5 is %d\\n", $w5',
        'reverse-stepi',
        'delete',
        'break counted',
        'continue',
        'printf "then thread %d\\n", $_thread',
        'continue',
      ];
      const child = spawn(gdb ?? '', ['-nx', '-batch', elf, ...commands.flatMap((arg) => ['-ex', arg])], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      child.stdout.on('data', (bytes) => (said += String(bytes)));
      child.stderr.on('data', (bytes) => (said += String(bytes)));
      await once(child, 'close');
      expect(said).toMatch(/\* 1 +Thread 1 "vCPU 0".*_start/);
      expect(said).toMatch(/ 2 +Thread 2 "vCPU 1"/);
      expect(said).toContain('first at 0\n');
      expect(said).toContain('now thread 2\n');
      expect(said).toContain('second at 4\n');
      expect(said).toMatch(/Old value = 1\nNew value = 2\n/);
      expect(said).toContain('w5 is 2\n');
      expect(said).toContain('There is no way back in time for a guest on a board');
      expect(said).toContain('then thread 1\n');
      expect(said).toContain('exited normally');
      expect(await vm.halted).toEqual({ reason: 'power-off' });
    } finally {
      printed.mockRestore();
      await vm.dispose();
    }
  });
});
