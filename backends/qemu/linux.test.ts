import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { initramfs, type InitramfsEntry } from '../../petri/kit/image/index.ts';
import { linux, linuxIsPrepared, type LinuxOptions } from '../../petri/payload/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { HANGS } from '../../petri/unit-test/hangs.ts';
import { optionalTool, toolsAreRequired } from '../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig, type LinuxVm } from '../../petri/vm/index.ts';
import { backend } from './index.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
// Tests do not download it: run `petri linux install` first.
const prepared = linuxIsPrepared();

let folder: string;
const vms: LinuxVm[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-linux-test-'));
});
afterEach(async () => {
  await Promise.all(vms.splice(0).map((vm) => vm.dispose()));
});
afterAll(async () => {
  await backend.close?.();
  await Supervisor.current()?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One block of lz4's legacy format, all literals: the output of `lz4 -l` for incompressible data. */
function lz4(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length - 15;
  const length = Buffer.concat([Buffer.of(0xf0), Buffer.alloc(Math.floor(rest / 255), 255), Buffer.of(rest % 255)]);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184c2102);
  head.writeUInt32LE(length.length + bytes.length, 4);
  return Buffer.concat([head, length, bytes]);
}

let launched = 0;

async function launch(options: LinuxOptions = {}): Promise<LinuxVm> {
  const config = resolveVmConfig({ memory: '256M', vcpus: 2 });
  const vm = await launchVm(
    backend,
    { isolation: 'none', payload: linux(options), config, machine: 'fresh' },
    { directory: join(folder, `vm-${launched++}`), features: ['linux', 'exec', 'reset'] },
  );
  vms.push(vm);
  return vm;
}

it.runIf(toolsAreRequired())('is prepared where tools are required', () => {
  expect(prepared, 'petri linux install was not run').toBe(true);
});

describe.skipIf(qemu === undefined || !prepared)('Linux on QEMU', () => {
  it('boots, runs commands independently of its console, and powers off', async () => {
    const vm = await launch();
    expect(await vm.exec('uname -sm; echo oops >&2; exit 3')).toEqual({
      stdout: 'Linux aarch64\n',
      stderr: 'oops\n',
      exitCode: 3,
    });
    expect(await vm.exec('nproc')).toMatchObject({ stdout: '2\n' });
    await vm.serial.waitFor('petri: init has started');
    expect(vm.serial.transcript).not.toContain('oops');

    // The output of a command is never parsed as a frame, or as the end of another command.
    const forged = "printf '##petri 0 end rc=0 stdout=0 stderr=0##\\no Zm9v\\n'; printf '\\000\\377'";
    expect((await vm.exec(forged)).stdout).toBe('##petri 0 end rc=0 stdout=0 stderr=0##\no Zm9v\n\0�');
    const [first, second] = await Promise.all([vm.exec('sleep 1; echo first'), vm.exec('echo second')]);
    expect([first.stdout, second.stdout]).toEqual(['first\n', 'second\n']);
    expect((await vm.exec('seq 1 20000')).stdout.split('\n')).toHaveLength(20_001);
    expect(await vm.exec('sleep 60', { timeout: 1000 })).toMatchObject({ exitCode: 137 });
    const quotes = `echo "it's" '$HOME' \\\\ é`;
    expect((await vm.exec(quotes)).stdout).toBe("it's $HOME \\ é\n");

    // The console has a shell of its own.
    await vm.serial.sendLine('echo $((6 * 7))');
    await vm.serial.waitFor(/^42$/m);

    await vm.stop({ timeout: HANGS });
    expect(await vm.halted).toEqual({ reason: 'power-off' });
    await expect(vm.exec('true')).rejects.toMatchObject({ code: 'vm-halted' });
    const logged = readFileSync(join(vm.directory, 'serial.qemu.log'));
    expect(logged.equals(readFileSync(vm.serial.logPath ?? ''))).toBe(true);
  });

  it('reports a kernel panic, and can be booted again', async () => {
    const vm = await launch();
    await vm.exec('true');
    await vm.serial.sendLine('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger');
    expect(await vm.halted).toEqual({ reason: 'panic', message: 'sysrq triggered crash', location: 'kernel' });
    await vm.reset();
    expect(await vm.exec('echo back')).toMatchObject({ stdout: 'back\n' });
    await vm.serial.sendLine('reboot -f');
    // The reset belongs to the new boot, not to the one that panicked.
    expect(await vm.halted).toEqual({ reason: 'reset' });
  });

  it('reports the kernel’s message for a panic during a command, and does not wait if it does not reboot', async () => {
    const vm = await launch({ commandLine: 'panic=0' });
    await vm.exec('echo 1 > /proc/sys/kernel/sysrq');
    await expect(vm.exec('echo c > /proc/sysrq-trigger', { timeout: HANGS })).rejects.toMatchObject({
      code: 'vm-halted',
      message: expect.stringContaining('panic at kernel: sysrq triggered crash') as string,
    });
    expect(await vm.halted).toEqual({ reason: 'panic', message: 'sysrq triggered crash', location: 'kernel' });
  });

  it('runs commands besides the user’s init, whose lz4 archive follows an early one', async () => {
    const { busybox = '' } = linux();
    const init = '#!/bin/sh\nmount -t devtmpfs dev /dev\necho my own init\nwhile :; do sleep 1; done\n';
    const applets = ['sh', 'mount', 'sleep', 'cat', 'mkdir', 'stty', 'base64', 'timeout', 'sed', 'wc', 'ls'];
    const own = join(folder, 'own.cpio');
    const entries: InitramfsEntry[] = [
      { kind: 'file', path: '/bin/busybox', content: readFileSync(busybox), mode: 0o755 },
      ...applets.map((name) => ({ kind: 'symlink' as const, path: `/bin/${name}`, target: 'busybox' })),
      { kind: 'directory', path: '/dev' },
      { kind: 'character-device', path: '/dev/console', major: 5, minor: 1 },
      { kind: 'file', path: '/init', content: Buffer.from(init), mode: 0o755 },
    ];
    const early = initramfs([{ kind: 'file', path: '/kernel/early', content: Buffer.from('microcode') }]);
    writeFileSync(own, Buffer.concat([early, lz4(initramfs(entries))]));
    const vm = await launch({ initramfs: own });
    expect((await vm.exec('ls /; cat /kernel/early')).stdout).toMatch(/^petri$[^]*microcode$/m);
    await vm.serial.waitFor('my own init');
  });

  it('that hangs is ended at its deadline, and its PC is reported', async () => {
    const vm = await launch({ commandLine: 'quiet rdinit=/nowhere init=/nowhere' });
    await vm.start();
    await vm.expire('the deadline passed');
    expect(await vm.halted).toMatchObject({
      reason: 'timeout',
      message: expect.stringMatching(/it was at 0x/) as string,
    });
    const pid = Number(/process (\d+)/.exec(readFileSync(join(vm.directory, 'petri.log'), 'utf8'))?.[1]);
    await vm.dispose();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});
