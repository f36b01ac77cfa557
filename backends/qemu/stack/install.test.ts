import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { checkImage, extractFile } from '../../../petri/kit/image/index.ts';
import { Installation } from '../../../petri/kit/stack/testing/installation.ts';
import { optionalTool } from '../../../petri/unit-test/optional-tool.ts';
import { FIP_OFFSET } from './flash.ts';
import { readInstalledFirmware, readInstalledStack } from './installed.ts';
import { QemuWorld } from './testing/qemu-world.ts';

const tools = [optionalTool('git', 'git'), optionalTool('make', 'make'), optionalTool('mke2fs', 'e2fsprogs')];

const program = 'backends/qemu/stack/testing/run-install';

const everyStep = [
  ...['qemu', 'tfrmm-source', 'rmm', 'edk2-source', 'edk2', 'tfa-source', 'tfa', 'flash', 'host-linux-source'],
  ...['host-kernel', 'plane0-linux-source', 'plane0-kernel', 'dtc-source', 'kvmtool-source', 'lkvm', 'busybox-source'],
  ...['busybox', 'rootfs', 'openvmm-source', 'tmk-vmm', 'simple-tmk', 'verify'],
];

describe.skipIf(tools.includes(undefined))('installing the QEMU stack', () => {
  let folder: string;
  let world: QemuWorld;
  let root: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-stack-'));
    world = new QemuWorld(join(folder, 'world'));
    root = join(folder, 'cca');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const install = (options: object = {}, env = {}): Installation =>
    new Installation(program, world, { root, lockFile: world.lockFile, ...options }, env);

  it('finishes after being killed in each step, with nothing incomplete and nothing made twice', async () => {
    const killedIn = ['tfrmm-source', 'rmm', 'tfa', 'host-kernel', 'plane0-kernel', 'tmk-vmm', 'simple-tmk'];
    const begun: string[][] = [];
    for (const step of killedIn) {
      const run = install({}, { FAKE_PAUSE: step });
      await run.untilPaused(world);
      await run.signal('SIGKILL');
      expect(existsSync(join(root, 'stack.json')), `stack.json after a kill in ${step}`).toBe(false);
      begun.push(run.events.flatMap((event) => (event.event === 'started' ? [event.step] : [])));
    }
    // Each run continues with the step in which the previous one was killed. The first step is the check, which runs
    // each time.
    expect(begun.map((steps) => steps[1])).toEqual(['qemu', ...killedIn.slice(0, -1)]);
    expect(await install().outcome()).toMatchObject({ event: 'done', skipped: expect.arrayContaining(['rmm', 'tfa']) });

    const { files, qemu, revisions } = readInstalledStack(root);
    for (const path of [files.flash, files.hostKernel, files.plane0Kernel, files.tmkVmm]) {
      const content = readFileSync(path, 'latin1');
      expect(content).toContain('whole');
      expect(content).not.toContain('half');
    }
    expect(qemu).toBeUndefined();
    expect(revisions).toMatchObject({
      tfa: world.head('tfa'),
      'plane0-linux': world.head('plane0-linux'),
      'qemu version': '11.0.1 (fake)',
    });
    expect(revisions).not.toHaveProperty('qemu');
  });

  it('makes a flash image with BL1, and with the FIP and all that is in it', () => {
    const flash = readFileSync(readInstalledStack(root).files.flash);
    const bl1 = readFileSync(join(root, 'firmware', 'bl1.bin'));
    expect(flash.subarray(0, bl1.length)).toEqual(bl1);
    expect(flash.subarray(bl1.length, FIP_OFFSET).every((byte) => byte === 0)).toBe(true);
    expect(flash.subarray(FIP_OFFSET)).toEqual(readFileSync(join(root, 'firmware', 'fip.bin')));
    expect(flash.toString('latin1')).toMatch(/rmm\nwhole.*edk2 -q -a AARCH64 /s);
  });

  it('makes a root file system that boots busybox, with the libraries of tmk_vmm', async () => {
    const { rootfs } = readInstalledStack(root).files;
    await checkImage(rootfs);
    const read = async (path: string): Promise<string> => {
      await extractFile(rootfs, path, join(folder, 'extracted'));
      return readFileSync(join(folder, 'extracted'), 'latin1');
    };
    expect(await read('/bin/busybox')).toBe(readFileSync(join(root, 'host', 'busybox'), 'latin1'));
    expect(await read('/etc/inittab')).toContain('::sysinit:/etc/init.d/rcS');
    expect(await read('/etc/init.d/rcS')).toMatch(/mount -t proc[\s\S]*S\*/);
    expect(await read('/lib/libc.so.6')).toContain('GLIBC_2.36');
  });

  it('does nothing if everything is up to date', async () => {
    world.takeCalls();
    expect(await install().outcome()).toEqual({ event: 'done', ran: [], skipped: everyStep });
    expect(world.takeCalls()).toEqual([]);
  });

  it.each([
    [
      'a revision of TF-RMM',
      () => ({ sources: [{ name: 'tfrmm', revision: world.commit('tfrmm', 'v9') }] }),
      ['tfrmm-source', 'rmm', 'tfa', 'flash', 'verify'],
    ],
    [
      'a revision of TF-A',
      () => ({ sources: [{ name: 'tfa', revision: world.commit('tfa', 'v9') }] }),
      ['tfa-source', 'tfa', 'flash', 'verify'],
    ],
    ['Linux for plane 0 anew', () => ({ rebuild: ['plane0-linux'] }), ['plane0-kernel', 'verify']],
    ['the root file system anew', () => ({ rebuild: ['rootfs'] }), ['busybox', 'rootfs', 'verify']],
    ['a branch that moved', () => (world.commit('kvmtool'), { refresh: true }), ['kvmtool-source', 'lkvm', 'verify']],
  ])('makes what depends on %s', async (_what, request, ran) => {
    const outcome = await install(request()).outcome();
    // Unchanged output is no reason to repeat later steps.
    expect(outcome).toMatchObject({ event: 'done' });
    const did = outcome.event === 'done' ? outcome.ran : [];
    expect(ran).toEqual(expect.arrayContaining([...did]));
    expect(did).toContain(ran[0]);
    if (!_what.includes('anew')) expect(did).toEqual(ran);
  });

  it('makes changed files again', async () => {
    const { files } = readInstalledStack(root);
    writeFileSync(files.flash, 'scribble');
    expect(await install().outcome()).toMatchObject({ ran: ['flash', 'verify'] });
    expect(readFileSync(files.flash, 'latin1')).not.toContain('scribble');
  });

  const failure = async (run: Installation): Promise<{ code: string; message: string }> => {
    const outcome = await run.outcome();
    expect(outcome).toMatchObject({ event: 'error' });
    return outcome.event === 'error' ? outcome : { code: '', message: '' };
  };

  it('shows the end of the log of a build that failed, and leaves nothing that looks finished', async () => {
    const request = { sources: [{ name: 'tfrmm', revision: world.commit('tfrmm') }] };
    const { code, message } = await failure(install(request, { FAKE_FAIL: 'rmm' }));
    expect(code).toBe('tool-failed');
    expect(message).toMatch(/step 4 of 23, rmm: cmake exited with code 3[\s\S]*error: no such register/);
    expect(existsSync(join(root, 'stack.json'))).toBe(false);
    expect(await install().outcome()).toMatchObject({ ran: ['rmm', 'tfa', 'flash', 'verify'] });
  });

  it('rejects firmware without the RMM', async () => {
    world.writeLock({ ENABLE_FEAT_RME: '', ENABLE_RME: '1' });
    const { message } = await failure(install());
    expect(message).toMatch(/tfa: .*has no RMM; it has: BL2, BL31, BL33[\s\S]*ENABLE_FEAT_RME/);
    world.writeLock({});
    expect(await install().outcome()).toMatchObject({ ran: expect.arrayContaining(['tfa', 'verify']) });
  });

  it('refuses a busybox without the commands that the host needs', async () => {
    const { message } = await failure(install({ rebuild: ['rootfs'] }, { FAKE_FAIL: 'links' }));
    expect(message).toMatch(/rootfs: .*does not have \/bin\/stty, \/bin\/mount, \/sbin\/init, \/sbin\/poweroff/);
    expect(await install({ rebuild: ['rootfs'] }).outcome()).toMatchObject({ event: 'done' });
  });

  it('accepts the user’s tmk_vmm, unless it needs a newer libc than plane 0 has', async () => {
    const mine = join(folder, 'my_tmk_vmm');
    const elf = (text: string): Buffer => Buffer.concat([Buffer.alloc(18), Buffer.from([183, 0]), Buffer.from(text)]);
    writeFileSync(mine, elf('GLIBC_2.39'));
    const { message } = await failure(install({ given: { 'tmk-vmm': mine } }));
    expect(message).toMatch(/verify: .*needs glibc 2\.39, and the root file system has 2\.36/);
    expect(existsSync(join(root, 'stack.json'))).toBe(false);
    writeFileSync(mine, elf('GLIBC_2.34'));
    expect(await install().outcome()).toMatchObject({ ran: ['tmk-vmm', 'verify'] });
    const { files, revisions } = readInstalledStack(root);
    expect(readFileSync(files.tmkVmm)).toEqual(elf('GLIBC_2.34'));
    expect(revisions).not.toHaveProperty('openvmm');
    expect(revisions['tmk_vmm sha256']).toMatch(/^[0-9a-f]{64}$/);
  });

  it('requires a QEMU with RME: an installed one, the user’s, or one that it builds', async () => {
    const mine = join(world.folder, 'bin', 'my-qemu');
    copyFileSync(join(world.folder, 'bin', 'qemu-system-aarch64'), mine);
    world.installQemu('7.2.0', ['lpa2']);
    const { code, message } = await failure(install());
    expect(code).toBe('tool-missing');
    expect(message).toMatch(/qemu-system-aarch64 is 7\.2\.0, and has no x-rme[\s\S]*--qemu PATH.*--qemu own/);

    expect(await install({ given: { qemu: mine } }).outcome()).toMatchObject({ ran: ['qemu', 'verify'] });
    expect(readInstalledStack(root)).toMatchObject({ qemu: mine, revisions: { 'qemu version': '11.0.1 (fake)' } });

    world.installQemu('11.0.2', ['x-rme']);
    const own = await install({ given: { qemu: 'own' } }).outcome();
    expect(own).toMatchObject({ ran: ['qemu-source', 'qemu', 'verify'] });
    const built = join(root, 'qemu', 'bin', 'qemu-system-aarch64');
    expect(readInstalledStack(root)).toMatchObject({ qemu: built, revisions: { qemu: world.head('qemu') } });
    expect(await install().outcome()).toMatchObject({ ran: [] });
    expect(await install({ given: { qemu: 'installed' } }).outcome()).toMatchObject({ ran: ['qemu', 'verify'] });
    expect(readInstalledStack(root)).not.toHaveProperty('qemu');
  });

  it('names every package that is missing, in one command, before it starts', async () => {
    const bare = new QemuWorld(join(folder, 'bare'));
    bare.installProgram('python3', '[ "$1" = --version ] || exit 1');
    bare.installProgram('dpkg-query', 'exit 1');
    rmSync(join(bare.folder, 'libraries', 'libc.a'));
    const elsewhere = join(folder, 'bare-cca');
    const { code, message } = await failure(
      new Installation(program, bare, { root: elsewhere, lockFile: bare.lockFile }),
    );
    expect(code).toBe('tool-missing');
    expect(/sudo apt-get install (.*)/.exec(message)?.[1]?.split(' ').sort()).toEqual(
      ['libc6-dev-arm64-cross', 'libssl-dev', 'python3-pyelftools', 'uuid-dev'].sort(),
    );
    expect(existsSync(join(elsewhere, 'sources'))).toBe(false);
  });

  describe('firmware alone', () => {
    const steps = ['tfrmm-source', 'rmm', 'bl33', 'tfa-source', 'tfa', 'flash', 'verify'];
    let bl33: string;
    let elsewhere: string;

    beforeAll(() => {
      bl33 = join(folder, 'u-boot.bin');
      elsewhere = join(folder, 'firmware-only');
      writeFileSync(bl33, 'a boot loader of mine');
    });

    const firmware = (given: Readonly<Record<string, string>> = {}): Installation =>
      install({ root: elsewhere, given });

    it('is built with the user’s BL33, and nothing else is', async () => {
      world.takeCalls();
      const run = firmware({ only: 'firmware', bl33 });
      expect(await run.outcome()).toEqual({ event: 'done', ran: steps, skipped: [] });
      expect(world.takeCalls().filter((call) => call !== 'fetch')).toEqual(['rmm', 'tfa']);
      expect(run.events).toContainEqual(expect.objectContaining({ event: 'note', step: 'verify' }));
      expect(existsSync(join(elsewhere, 'stack.json'))).toBe(false);
      const installed = readInstalledFirmware(elsewhere);
      expect(readFileSync(installed?.files.flash ?? '').includes('a boot loader of mine')).toBe(true);
      expect(Object.keys(installed?.revisions ?? {})).toEqual(['tfrmm', 'tfa', 'bl33 sha256']);
    });

    it('is remembered, and made again when the BL33 changes', async () => {
      expect(await firmware().outcome()).toEqual({ event: 'done', ran: [], skipped: steps });
      writeFileSync(bl33, 'another one');
      expect(await firmware().outcome()).toMatchObject({ ran: ['bl33', 'tfa', 'flash', 'verify'] });
      const { files } = readInstalledFirmware(elsewhere) ?? {};
      expect(readFileSync(files?.flash ?? '').includes('another one')).toBe(true);
    });

    it('rejects a missing BL33, an unknown part, and a rebuild of something that is not installed', async () => {
      const message = async (run: Installation): Promise<string> => JSON.stringify(await run.outcome());
      expect(await message(firmware({ bl33: join(folder, 'nowhere') }))).toMatch(/artifact-missing.*--bl33/);
      expect(await message(firmware({ only: 'rmm' }))).toMatch(/invalid-option.*no part 'rmm'/);
      expect(await message(install({ root: elsewhere, rebuild: ['rootfs' as const] }))).toMatch(
        /invalid-option.*only firmware is installed.*--rebuild-rootfs/,
      );
    });

    it('becomes a whole stack, with EDK2 again', async () => {
      const outcome = await firmware({ only: 'all', bl33: 'own' }).outcome();
      expect(outcome).toMatchObject({ event: 'done' });
      expect(outcome.event === 'done' && outcome.ran).toEqual(
        expect.arrayContaining(['edk2', 'tfa', 'rootfs', 'verify']),
      );
      expect(readInstalledStack(elsewhere).revisions).toMatchObject({ edk2: world.head('edk2') });
      expect(readInstalledFirmware(elsewhere)).toBeUndefined();
    });
  });
});
