import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { HaltReason } from '../../petri/contract/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig } from '../../petri/vm/index.ts';
import { backend } from './index.ts';

const gdb = optionalTool('gdb-multiarch', 'gdb-multiarch');
const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');

const SOURCE = `#include "tmk.h"
static volatile unsigned counter[2];
__attribute__((noinline)) static unsigned added(unsigned to, unsigned what)
{
    unsigned sum = to + what;
    counter[0] = sum;
    return sum;
}
TMK_TEST(counts, 0)
{
    unsigned total = 0;
    for (unsigned n = 1; n <= 5; n++) {
        total = added(total, n);
        counter[1]++;
    }
    tmk_log("counted");
    if (total == 0) for (;;) counter[1]++;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'petri-gdb-session-'));
const elf = join(folder, 'counts.elf');

beforeAll(() => {
  if (gcc === undefined) return;
  const source = join(folder, 'counts.c');
  writeFileSync(source, SOURCE);
  const petri = resolve(import.meta.dirname, '../../bin/petri.mjs');
  const built = spawnSync(process.execPath, [petri, 'tmk', 'build', source, '--optimize=0', `--output=${elf}`]);
  expect(String(built.stderr)).toBe('');
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs GDB's commands on a VM that waits for it. @returns what GDB printed, the console, and how the VM halted */
async function session(
  isolation: 'none' | 'cca',
  commands: readonly string[],
): Promise<{ said: string; console: string; halt: HaltReason; instructions: number | undefined }> {
  vi.stubEnv('PETRI_GDB', '0,wait');
  const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const vm = await launchVm(
    backend,
    { isolation, payload: tmk(elf), config: resolveVmConfig({ memory: '64M' }), machine: 'shared' },
    { directory: mkdtempSync(join(folder, 'vm-')), features: ['tmk'] },
  );
  try {
    await vm.start();
    const hint = /debug with: gdb-multiarch \S+ -ex '(target remote 127\.0\.0\.1:\d+)'; the guest waits/;
    expect(printed.mock.calls.join('')).toMatch(hint);
    const attach = hint.exec(readFileSync(join(vm.directory, 'petri.log'), 'utf8'))?.[1] ?? '';
    // The guest has not run.
    expect([vm.serial.size, vm.instructions]).toEqual([0, 0]);
    const args = ['set confirm off', 'set width 0', 'set pagination off', attach, ...commands];
    const child = spawn(gdb ?? '', ['-nx', '-batch', elf, ...args.flatMap((arg) => ['-ex', arg])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.on('data', (bytes) => (said += String(bytes)));
    child.stderr.on('data', (bytes) => (said += String(bytes)));
    await once(child, 'close');
    const halt = await vm.halted;
    return { said, console: vm.serial.tail(), halt, instructions: vm.instructions };
  } finally {
    printed.mockRestore();
    await vm.dispose();
  }
}

describe.skipIf(gdb === undefined || gcc === undefined).each(['none', 'cca'] as const)(
  'gdb-multiarch at a VM of isolation type %s',
  (isolation) => {
    it('breaks, steps, watches, shows registers and a backtrace, and goes back in time', async () => {
      const { said, console, halt } = await session(isolation, [
        'break added',
        'continue',
        'backtrace 2',
        'info threads',
        'stepi',
        'printf "moved by %d\\n", $pc - (long) &added',
        'next',
        'watch counter[0]',
        'continue',
        'delete 1',
        'continue',
        'printf "n is %d, sum %d\\n", what, sum',
        'reverse-continue',
        'printf "back to %d\\n", counter[0]',
        'reverse-continue',
        'reverse-continue',
        'printf "vectors at offset %d\\n", $VBAR_EL1 & 0x7ff',
        'printf "SP at EL1: %d\\n", $sp == $SP_EL1',
        'set var $v3.d.u[1] = 0x1234',
        'p/x $v3.d.u',
        'monitor state',
        'delete',
        'continue',
      ]);
      expect(said).toMatch(/Breakpoint 1, added \(to=0, what=1\)/);
      expect(said).toMatch(/#1 {2}0x[0-9a-f]+ in test_counts \(\)/);
      expect(said).toContain('* 1    Thread 1 "vCPU 0" added');
      expect(said).toMatch(/moved by [1-9]\d?\n/);
      // Forwards with each value, then back over them to the start.
      expect(said).toMatch(/Old value = 0\nNew value = 1\n(.*\n)*Old value = 1\nNew value = 3\n/);
      expect(said).toContain('n is 2, sum 3');
      expect(said).toMatch(/Old value = 3\nNew value = 1\n(.*\n)*back to 1\n/);
      expect(said).toMatch(/Old value = 1\nNew value = 0\n/);
      expect(said).toContain('No more reverse-execution history');
      expect(said).toContain('vectors at offset 0');
      expect(said).toContain('SP at EL1: 1');
      expect(said).toContain('{0x0, 0x1234}');
      expect(said).toMatch(/PC 0x[0-9a-f]+ at EL1, stage 1 off/);
      expect(said).toContain('exited normally');
      expect(console.match(/counted/g)).toHaveLength(1);
      expect(halt).toEqual({ reason: 'complete', success: true });
    });

    it('is told that there is no way back once it has changed the guest', async () => {
      const { said, halt } = await session(isolation, [
        'break added',
        'continue',
        'set var what = 7',
        'reverse-step',
        'delete',
        'continue',
      ]);
      expect(said).toContain('the guest cannot be run again to where it was');
      expect(said).toContain('exited normally');
      expect(halt).toEqual({ reason: 'complete', success: true });
    });

    it('leaves a guest that goes on, and ends one that it kills', async () => {
      expect(await session(isolation, ['break added', 'continue', 'detach'])).toMatchObject({
        halt: { reason: 'complete', success: true },
      });
      expect(await session(isolation, ['break added', 'continue', 'kill'])).toMatchObject({
        halt: { reason: 'stopped' },
      });
    });
  },
);
