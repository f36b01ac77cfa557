import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { incapable } from '../../../petri/vm-test/index.ts';
import { tmk } from '../../../petri/payload/index.ts';
import { Supervisor } from '../../../petri/kit/process/index.ts';
import { resolveVmConfig, type VmOptions } from '../../../petri/vm/index.ts';
import { backend } from '../index.ts';
import type { InstalledStack } from '../stack/installed.ts';
import { realmPlatform } from './platform.ts';

const files = ['flash', 'hostKernel', 'rootfs', 'plane0Kernel', 'lkvm', 'tmkVmm'] as const;
const devices = ['virtio-serial-device', 'virtserialport', 'pci-serial', 'virtio-blk-pci'];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-qemu-cca-'));
  vi.stubEnv('PETRI_QEMU_CCA_ROOT', join(folder, 'stack'));
  vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
  vi.stubEnv('PETRI_QEMU_CCA_MACHINES', '2');
});
afterEach(async () => {
  await backend.close?.();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await Supervisor.current()?.close();
});

/** A program that answers like a QEMU with these CPU properties, and records all other arguments. */
function fakeQemu(name: string, properties: readonly string[]): string {
  const path = join(folder, name);
  const answer = (id: string, names: readonly string[]): string =>
    JSON.stringify({ id, return: names.map((one) => ({ name: one })) });
  const answers = [
    JSON.stringify({ QMP: { version: { qemu: { major: 11, minor: 0, micro: 1 }, package: 'fake' } } }),
    answer('machines', ['virt']),
    answer('devices', devices),
    answer('cpu', properties),
  ];
  const script = [
    '#!/bin/sh',
    'case $* in',
    "*'-machine none'*) cat >/dev/null",
    `cat <<'END'`,
    ...answers,
    'END',
    ';;',
    `*) printf '%s\\n' "$@" >'${path}.arguments'`,
    'echo "I am no machine" >&2; exit 1;;',
    'esac',
    '',
  ];
  writeFileSync(path, script.join('\n'));
  chmodSync(path, 0o755);
  return path;
}

function installStack(own: Partial<InstalledStack> = {}): InstalledStack {
  const root = join(folder, 'stack');
  mkdirSync(root);
  const paths = Object.fromEntries(files.map((name) => [name, join(root, name)])) as InstalledStack['files'];
  for (const path of Object.values(paths)) writeFileSync(path ?? '', '');
  const stack: InstalledStack = { version: 1, lockDigest: '00', files: paths, revisions: { rmm: 'r1' }, ...own };
  writeFileSync(join(root, 'stack.json'), JSON.stringify(stack));
  return stack;
}

describe('probing for realms on QEMU', () => {
  it('finds a QEMU with RME and a stack', async () => {
    vi.stubEnv('PETRI_QEMU', fakeQemu('qemu', ['x-rme']));
    installStack();
    const probe = await backend.probe();
    expect(probe).toMatchObject({
      available: true,
      isolation: { none: expect.arrayContaining(['linux']) as unknown, cca: ['tmk', 'tmk.events', 'reset'] },
      pace: { parallel: 2 },
      facts: { 'realm stack.rmm': 'r1' },
    });
    if (!probe.available) throw new Error('it is');
    expect(probe.lacking).toBeUndefined();
    expect(probe.pace?.isolation?.none?.boot).toBeLessThan(probe.pace?.boot ?? 0);
  });

  it('queries the QEMU of the stack', async () => {
    vi.stubEnv('PETRI_QEMU', fakeQemu('old', []));
    installStack({ qemu: fakeQemu('new', ['x-rme']) });
    expect(await backend.probe()).toMatchObject({
      available: true,
      isolation: { cca: ['tmk', 'tmk.events', 'reset'] },
    });
  });

  it('reports a missing RME, and everything else remains available', async () => {
    vi.stubEnv('PETRI_QEMU', fakeQemu('qemu', ['aarch64']));
    installStack();
    const probe = await backend.probe();
    expect(probe).toMatchObject({
      available: true,
      lacking: { cca: [{ what: expect.stringContaining('11.0.1 has no CPU with RME') as string }] },
    });
    expect(incapable('qemu', probe, { isolation: 'none', requires: ['tmk'] })).toBeUndefined();
    expect(incapable('qemu', probe, { isolation: 'cca', requires: [] })).toBe(
      "backend 'qemu' does not make VMs of isolation type 'cca' here: QEMU 11.0.1 has no CPU with RME (x-rme)",
    );
  });

  it('reports a missing stack, and how to get one', async () => {
    vi.stubEnv('PETRI_QEMU', fakeQemu('qemu', ['x-rme']));
    const probe = await backend.probe();
    expect(probe).toMatchObject({
      available: true,
      lacking: {
        cca: [
          {
            what: expect.stringContaining('no QEMU stack for realms is installed') as string,
            remedy: expect.stringContaining('petri cca install --platform=qemu') as string,
          },
        ],
      },
    });
  });

  it.each(files)('reports a missing %s', async (name) => {
    vi.stubEnv('PETRI_QEMU', fakeQemu('qemu', ['x-rme']));
    rmSync(installStack().files[name]);
    const probe = await backend.probe();
    expect(probe.available && probe.lacking?.cca).toMatchObject([{ what: expect.stringContaining(name) as string }]);
  });

  it('rejects sizes beyond the limits of the host', () => {
    const spec = (options: VmOptions) =>
      ({ isolation: 'cca', payload: tmk('hello'), config: resolveVmConfig(options), machine: 'shared' }) as const;
    expect(backend.refuses?.(spec({ memory: '512M' }))).toBeUndefined();
    expect(backend.refuses?.(spec({ memory: '128M' }))).toMatch(/a VM of 128 MiB, QEMU needs at least 256 MiB .*realm/);
    expect(backend.refuses?.(spec({ memory: '3G' }))).toMatch(/3072 MiB of memory, QEMU gives at most 2048 MiB/);
    expect(backend.refuses?.(spec({ vcpus: 2 }))).toMatch(/2 vCPUs, QEMU gives at most 1 for a realm/);
    expect(backend.refuses?.(spec({ planes: 2 }))).toMatch(/2 auxiliary planes, QEMU gives at most 1 for a realm/);
    expect(backend.refuses?.(spec({ ipaWidth: 48 }))).toMatch(/kvmtool chooses the IPA width itself/);
  });
});

describe('a machine that launches realms', () => {
  it('has RME, the firmware, and a root file system of its own', async () => {
    const command = fakeQemu('qemu', ['x-rme']);
    const platform = realmPlatform({ stack: installStack(), command });
    const start = platform.start({
      rootfs: '/a,b/rootfs.ext4',
      folder,
      logs: join(folder, 'logs'),
      supervisor: await Supervisor.open(),
      signal: new AbortController().signal,
      log: () => undefined,
    });
    await expect(start).rejects.toMatchObject({
      code: 'boot-failed',
      transcriptTail: expect.stringContaining('I am no machine') as string,
    });
    const words = readFileSync(`${command}.arguments`, 'utf8').split('\n');
    const valueOf = (option: string): string | undefined => words[words.indexOf(option) + 1];
    expect(valueOf('-machine')).toBe('virt,secure=on,virtualization=on,gic-version=3,acpi=off');
    expect(valueOf('-cpu')).toBe('max,x-rme=on,lpa2=off,sme=off,pauth-impdef=on');
    expect(valueOf('-bios')).toBe(join(folder, 'stack/flash'));
    expect(valueOf('-kernel')).toBe(join(folder, 'stack/hostKernel'));
    expect(valueOf('-append')).toBe('nokaslr root=/dev/vda rw console=ttyAMA0');
    expect(valueOf('-drive')).toBe('if=none,id=rootfs,format=raw,file=/a,,b/rootfs.ext4');
    expect(words).toContain('-S');
    expect(words.filter((word) => word.startsWith('chardev:'))).toEqual(['chardev:host', 'chardev:secure']);
  });
});
