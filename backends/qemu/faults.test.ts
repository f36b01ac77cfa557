import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PetriError } from '../../petri/errors.ts';
import { tmk } from '../../petri/payload/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { usePrivateState } from '../../petri/kit/process/testing.ts';
import { endsWithUs } from '../../petri/unit-test/ends-with-us.ts';
import { hurried } from '../../petri/unit-test/hurried.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { until } from '../../petri/unit-test/until.ts';
import { launchVm, resolveVmConfig, type Vm } from '../../petri/vm/index.ts';
import type { VmSpec } from '../../petri/contract/index.ts';
import { backend } from './index.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');

/** Factor for busy hosts. */
const PATIENT = 50;

usePrivateState();

let folder: string;
const vms: Vm[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-qemu-test-'));
});
afterEach(async () => {
  // Variables of the private state stay.
  vi.stubEnv('PETRI_QEMU', undefined);
  vi.stubEnv('PETRI_SLOW_FACTOR', String(PATIENT));
  await Promise.all(vms.splice(0).map((vm) => vm.dispose()));
  rmSync(folder, { recursive: true });
});
afterAll(async () => {
  await backend.close?.();
  await Supervisor.current()?.close();
});

async function launch(payload: string, test: string, machine: VmSpec['machine'] = 'fresh'): Promise<Vm> {
  const config = resolveVmConfig({ memory: '16M' });
  const vm = await launchVm(
    backend,
    { isolation: 'none', payload: tmk(payload), config, machine },
    {
      directory: join(folder, `vm-${vms.length}`),
      features: ['tmk', 'tmk.events', 'reset', 'inspect.registers'],
      test,
    },
  );
  vms.push(vm);
  return vm;
}

/** A program to run instead of QEMU. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

async function failureOf(action: () => Promise<unknown>): Promise<PetriError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PetriError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

function pidOf(vm: Vm): number {
  const log = readFileSync(join(vm.directory, 'petri.log'), 'utf8');
  return Number(/QEMU is process (\d+)/.exec(log)?.[1]);
}

/** Waits until a process and its folder no longer exist; the time-out of the test ends the wait. */
async function gone(pid: number): Promise<void> {
  await until(() => !existsSync(`/proc/${pid}`));
}

function temporaryFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('petri-vm-qemu-'));
}

describe('a program that is not QEMU', () => {
  it('is reported as missing, with what to install', async () => {
    vi.stubEnv('PETRI_QEMU', '/nowhere/qemu');
    const probed = await backend.probe();
    expect(probed).toEqual({
      available: false,
      missing: [
        {
          what: 'there is no /nowhere/qemu (PETRI_QEMU)',
          remedy: expect.stringContaining('apt-get install') as string,
        },
      ],
    });
    expect(await failureOf(() => launch('hello', 'boot'))).toMatchObject({ code: 'tool-missing' });
  });

  it.each([
    ['says nothing', '#!/bin/sh\n'],
    ['says something else', '#!/bin/sh\necho hello\n'],
    ['fails', '#!/bin/sh\necho "bad CPU" >&2\nexit 3\n'],
  ])('is not accepted if it %s', async (_, script) => {
    vi.stubEnv('PETRI_QEMU', program('not-qemu', script));
    expect(await backend.probe()).toMatchObject({
      available: false,
      missing: [{ what: expect.stringContaining('does not answer as QEMU does') as string }],
    });
  });

  it('that ends at once fails the launch, with its own output', async () => {
    vi.stubEnv('PETRI_QEMU', program('ends', '#!/bin/sh\necho "out of luck" >&2\nexit 3\n'));
    const before = temporaryFolders();
    const error = await failureOf(() => launch('hello', 'boot'));
    expect(error.code).toBe('boot-failed');
    expect(error.message).toMatch(/QEMU did not start: it exited with code 3/);
    expect(error.transcriptTail).toBe('out of luck');
    expect(temporaryFolders()).toEqual(before);
  });

  it('that is silent fails the launch, and is ended', async () => {
    vi.stubEnv('PETRI_SLOW_FACTOR', '0.02');
    const pidFile = join(folder, 'pid');
    vi.stubEnv('PETRI_QEMU', program('silent', `#!/bin/sh\necho $$ > '${pidFile}'\nexec sleep 600\n`));
    const error = await failureOf(() => launch('hello', 'boot'));
    expect(error.message).toContain('it was silent for 0.6 s');
    await gone(Number(readFileSync(pidFile, 'utf8')));
  });

  it.each([
    ['never speaks QMP', '', 'it said nothing within '],
    ['speaks something else', 'qmp.write("220 mail ready\\n");', 'its greeting is "220 mail ready"'],
  ])('that connects and %s fails the launch', async (_, words, message) => {
    const script = `#!${process.execPath}
      const net = require('node:net');
      const at = (pattern) => process.argv.map((argument) => pattern.exec(argument)).find(Boolean)[1];
      net.connect(at(/id=events,path=(.*)$/));
      const qmp = net.connect(at(/id=qmp,path=(.*)$/));
      ${words}`;
    vi.stubEnv('PETRI_QEMU', program('mute.cjs', script));
    const error = await hurried(
      0.2,
      (slowFactor) => {
        vi.stubEnv('PETRI_SLOW_FACTOR', String(slowFactor));
        return failureOf(() => launch('hello', 'boot'));
      },
      (failure) => failure.message.includes(message),
    );
    expect(error.message).toContain(message);
  });
});

describe.skipIf(qemu === undefined)('QEMU', () => {
  it('with an unknown option fails the launch, with its own output', async () => {
    vi.stubEnv('PETRI_QEMU', program('wrong', `#!/bin/sh\nexec '${qemu ?? ''}' "$@" -no-such-option\n`));
    const error = await failureOf(() => launch('hello', 'boot'));
    expect(error).toMatchObject({
      code: 'boot-failed',
      transcriptTail: expect.stringMatching(/no-such-option/) as string,
    });
  });

  it('that is killed while its guest runs is a lost backend, and leaves nothing behind', async () => {
    const before = temporaryFolders();
    const vm = await launch('loop', 'spin');
    await vm.serial.waitFor('spinning');
    process.kill(pidOf(vm), 'SIGKILL');
    expect(await vm.halted).toEqual({
      reason: 'backend-lost',
      message: expect.stringContaining('QEMU was ended by SIGKILL') as string,
    });
    await vm.dispose();
    expect(temporaryFolders()).toEqual(before);
  });

  it('that is killed while it waits for a guest is replaced', async () => {
    const first = await launch('hello', 'boot', 'shared');
    await first.halted;
    const pid = pidOf(first);
    await first.dispose();
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    const second = await launch('hello', 'boot', 'shared');
    expect(await second.halted).toEqual({ reason: 'complete', success: true });
    expect(pidOf(second)).not.toBe(pid);
  });

  it('serves one guest after the other, each with memory of zeros', async () => {
    const first = await launch('hello', 'boot', 'shared');
    await first.halted;
    await first.dispose();
    const second = await launch('selftest', 'dot_products', 'shared');
    expect(await second.halted).toEqual({ reason: 'complete', success: true });
    expect(pidOf(second)).toBe(pidOf(first));
  });

  it('that hangs at a deadline is ended nevertheless', async () => {
    const vm = await launch('loop', 'spin');
    await vm.serial.waitFor('spinning');
    process.kill(pidOf(vm), 'SIGSTOP');
    vi.stubEnv('PETRI_SLOW_FACTOR', '1');
    await vm.expire('the deadline passed');
    expect(await vm.halted).toMatchObject({ reason: 'timeout' });
    const pid = pidOf(vm);
    await vm.dispose();
    await gone(pid);
  });

  it.each(['branch_to_self', 'exception_loop'])('reports the PC of a silent guest: %s', async (test) => {
    const vm = await launch('loop', test);
    await vm.serial.waitFor(/spinning|exceptions/);
    await vm.stop();
    expect(await vm.halted).toEqual({ reason: 'stopped' });
    expect(vm.registers().x).toHaveLength(31);
  });

  it('can stop a guest that floods its console, and runs the next one', async () => {
    const flood = await launch('loop', 'log_for_ever');
    await flood.serial.waitFor('line 5000');
    await flood.stop();
    expect(await flood.halted).toEqual({ reason: 'stopped' });
    await flood.reset();
    await flood.serial.waitFor('line 100');
    expect(flood.haltReason).toBeUndefined();
  });

  it('does not outlive a runner that is killed', async () => {
    const petri = fileURLToPath(new URL('../../bin/petri.mjs', import.meta.url));
    const runner = spawn(
      process.execPath,
      [...endsWithUs, petri, 'tmk', 'run', 'loop', '--test', 'spin', '--backend=qemu', '--isolation=none'],
      { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    let printed = '';
    for await (const chunk of runner.stdout) {
      printed += String(chunk);
      if (printed.includes('spinning')) break;
    }
    const logs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('petri.log'),
    );
    const pid = Number(/QEMU is process (\d+)/.exec(readFileSync(join(folder, logs[0] ?? ''), 'utf8'))?.[1]);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    await gone(pid);
  });
});
