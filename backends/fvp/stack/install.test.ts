import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Installation } from '../../../petri/kit/stack/testing/installation.ts';
import { optionalTool, toolsAreRequired } from '../../../petri/unit-test/optional-tool.ts';
import { readInstalledStack } from './installed.ts';
import { FvpWorld } from './testing/fvp-world.ts';

const tools = [optionalTool('git', 'git'), optionalTool('make', 'make'), optionalTool('python3', 'python3-venv')];
const hasTools = !tools.includes(undefined) && hasVenv();

/** Debian packages it separately from Python. */
function hasVenv(): boolean {
  const { status } = spawnSync('python3', ['-c', 'import venv, ensurepip']);
  if (status !== 0 && toolsAreRequired())
    throw new Error('python3-venv is required here: apt-get install python3-venv');
  return status === 0;
}

const program = 'backends/fvp/stack/testing/run-install';

const everyStep = [
  ...['shrinkwrap-source', 'shrinkwrap', 'overlays', 'plane0-linux-source', 'plane0-kernel'],
  ...['firmware', 'openvmm-source', 'tmk-vmm', 'simple-tmk', 'verify'],
];

describe.skipIf(!hasTools)('installing the FVP stack', () => {
  let folder: string;
  let world: FvpWorld;
  let root: string;
  /** Commits of the firmware: the one in the lock, and that of the tag v9. */
  let pinned: string;
  let v9: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-stack-'));
    world = new FvpWorld(join(folder, 'world'));
    root = join(folder, 'cca');
    pinned = world.head('components');
    v9 = world.commit('components', 'v9');
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const install = (options: object = {}, env = {}): Installation =>
    new Installation(program, world, { root, lockFile: world.lockFile, runtime: 'null', ...options }, env);

  it('finishes after being killed in every step, with nothing incomplete and nothing made twice', async () => {
    const kills: Record<string, (run: Installation) => Promise<void>> = Object.fromEntries(
      [
        ...['shrinkwrap-source', 'plane0-linux-source', 'plane0-kernel', 'firmware', 'openvmm-source', 'tmk-vmm'],
        'simple-tmk',
      ].map((step) => [step, async (run: Installation) => await run.untilPaused(world)]),
    );
    kills['shrinkwrap'] = async (run) => await run.until('venv', () => existsSync(join(root, 'venv', 'bin', 'python')));
    const begun: string[][] = [];
    for (const step of everyStep) {
      const run = install({}, { FAKE_PAUSE: step });
      await run.until(`step ${step}`, () => run.hasStarted(step));
      await kills[step]?.(run);
      await run.signal('SIGKILL');
      expect(existsSync(join(root, 'stack.json')), `stack.json after a kill in ${step}`).toBe(
        step === 'verify' && existsSync(join(root, 'stamps', 'verify.json')),
      );
      begun.push(run.events.flatMap((event) => (event.event === 'started' ? [event.step] : [])));
    }
    // Each run continues with the step in which the previous one was killed, or with the next if the kill came too
    // late.
    for (const [index, steps] of begun.entries()) {
      const earlier = everyStep.slice(0, Math.max(0, index - 1));
      expect(steps.filter((step) => earlier.includes(step))).toEqual([]);
    }
    const outcome = await install().outcome();
    expect(outcome).toMatchObject({ event: 'done' });

    const stack = readInstalledStack(root);
    const { bl1, rootfs, plane0Kernel, tmkVmm, simpleTmk } = stack.files;
    for (const path of [bl1, rootfs, plane0Kernel, tmkVmm, simpleTmk]) {
      const content = readFileSync(path ?? '', 'latin1');
      expect(content).toContain('whole');
      expect(content).not.toContain('half');
    }
    expect(stack.shrinkwrap).toMatchObject({ version: 'shrinkwrap v2026.6.0-fake', runtime: 'null' });
    expect(stack.revisions).toMatchObject({
      'plane0-linux': world.head('plane0-linux'),
      tfa: pinned,
    });
    expect(stack.environment['SHRINKWRAP_BUILD']).toContain(root);
  });

  it('does nothing if everything is up to date', async () => {
    world.takeCalls();
    expect(await install().outcome()).toEqual({ event: 'done', ran: [], skipped: everyStep });
    expect(world.takeCalls()).toEqual([]);
  });

  it('keeps the commit of a branch until it is asked to resolve it again', async () => {
    const before = readInstalledStack(root).revisions['host-linux'];
    const moved = world.commit('components');
    expect(await install().outcome()).toMatchObject({ ran: [] });
    expect(readInstalledStack(root).revisions['host-linux']).toBe(before);

    const update = install({ refresh: true });
    expect(await update.outcome()).toMatchObject({ ran: ['overlays', 'firmware', 'verify'] });
    expect(readInstalledStack(root).revisions['host-linux']).toBe(moved);
  });

  it.each([
    ['a revision of TF-A', () => ({ sources: [{ name: 'tfa', revision: 'v9' }] }), ['overlays', 'firmware', 'verify']],
    [
      'a revision of TF-RMM',
      () => ({ sources: [{ name: 'tfrmm', revision: 'v9' }] }),
      ['overlays', 'firmware', 'verify'],
    ],
    [
      'a revision of Linux for plane 0',
      () => ({ sources: [{ name: 'plane0-linux', revision: world.commit('plane0-linux', 'other') }] }),
      ['plane0-linux-source', 'plane0-kernel', 'verify'],
    ],
    ['the root file system anew', () => ({ rebuild: ['rootfs' as const] }), ['firmware', 'verify']],
    ['the programs for planes anew', () => ({ rebuild: ['tmk' as const] }), ['tmk-vmm', 'simple-tmk', 'verify']],
    ['Linux for plane 0 anew', () => ({ rebuild: ['plane0-linux' as const] }), ['plane0-kernel', 'verify']],
  ])('makes what depends on %s, and nothing else', async (_what, request, ran) => {
    world.takeCalls();
    const outcome = await install({ ...request() }).outcome();
    expect(outcome).toMatchObject({ event: 'done', ran });
    if (ran[0] === 'firmware') expect(world.takeCalls()).toEqual(expect.arrayContaining(['build-buildroot']));
  });

  it('prints the output of each step on request, and always logs it', async () => {
    const quiet = install({ rebuild: ['tmk' as const] });
    await quiet.outcome();
    expect(quiet.events.some((event) => event.event === 'output')).toBe(false);
    const run = install({ rebuild: ['tmk' as const], verbose: true });
    await run.outcome();
    const printed = run.events.flatMap((event) =>
      event.event === 'output' ? [`${event.step}| ${event.message}`] : [],
    );
    expect(printed).toEqual([
      'prerequisites| everything is installed',
      expect.stringMatching(/^tmk-vmm\| \$ .*RUSTC_BOOTSTRAP=1 cargo build --package=tmk_vmm /),
      'tmk-vmm| \u001B[1m   Compiling\u001B[0m tmk_vmm',
      expect.stringMatching(/^simple-tmk\| \$ .*--config=openhcl\/minimal_rt\/aarch64-config\.toml /),
      'simple-tmk| \u001B[1m   Compiling\u001B[0m simple_tmk',
    ]);
    expect(readFileSync(join(root, 'logs', 'simple-tmk.log'), 'utf8')).toContain('Compiling');
  });

  it('uses the requested revision', () => {
    const stack = readInstalledStack(root);
    expect(stack.revisions['tfa']).toBe(v9);
    expect(readFileSync(stack.files.fip ?? '', 'utf8')).toContain(`revision: ${v9}`);
  });

  it('makes changed files again', async () => {
    const { files } = readInstalledStack(root);
    writeFileSync(files.rootfs, 'scribble');
    const outcome = await install().outcome();
    expect(outcome).toMatchObject({ ran: ['firmware', 'verify'] });
    expect(readFileSync(files.rootfs, 'latin1')).not.toContain('scribble');
  });

  it('rejects firmware without the RMM', async () => {
    const outcome = await install({ rebuild: ['rootfs' as const] }, { FAKE_FAIL: 'rmm' }).outcome();
    expect(outcome).toMatchObject({ event: 'error', code: 'tool-failed' });
    expect(outcome.event === 'error' && outcome.message).toMatch(/firmware: .*has no RMM; it has: BL2, BL31, BL33/);
    expect(existsSync(join(root, 'stack.json'))).toBe(false);
    expect(await install().outcome()).toMatchObject({ event: 'done' });
  });

  it('shows the end of the log of a build that failed, and leaves nothing that looks finished', async () => {
    rmSync(join(root, 'shrinkwrap', 'build'), { recursive: true });
    const request = { rebuild: ['rootfs' as const] };
    const outcome = await install(request, { FAKE_FAIL: 'firmware' }).outcome();
    expect(outcome).toMatchObject({ event: 'error', code: 'tool-failed' });
    const message = 'message' in outcome ? outcome.message : '';
    expect(message).toMatch(/step 7 of 11, firmware: .*shrinkwrap exited with code 1/);
    expect(message).toContain('bl1.c] error: no such register');
    expect(message).toContain(join(root, 'logs', 'firmware.log'));
    expect(existsSync(join(root, 'stack.json'))).toBe(false);

    expect(await install().outcome()).toMatchObject({
      ran: ['firmware', 'verify'],
    });
  });

  it('rejects a kernel that drops options that plane 0 needs', async () => {
    const request = { rebuild: ['plane0-linux' as const] };
    const outcome = await install(request, { FAKE_FAIL: 'options' }).outcome();
    expect(outcome).toMatchObject({ event: 'error', message: expect.stringContaining('CONFIG_ARM_CCA_GUEST') });
    expect(await install().outcome()).toMatchObject({ event: 'done' });
  });

  it('rejects a pin of a component that the configuration lacks, and builds nothing', async () => {
    const lockFile = join(folder, 'wrong.lock.yaml');
    const pin = `  edk2: { repository: '${world.url('components')}', revision: ${pinned}, component: edk2/edk2 }\n`;
    writeFileSync(lockFile, readFileSync(world.lockFile, 'utf8').replace('python:', `${pin}python:`));
    world.takeCalls();
    const outcome = await install({ lockFile }).outcome();
    expect(outcome).toMatchObject({ event: 'error', code: 'lock-file-invalid' });
    const message = 'message' in outcome ? outcome.message : '';
    expect(message).toMatch(
      /'edk2\/edk2' \(source edk2\)\n +remedy: it has buildroot, edk2, kvmtool\/dtc, kvmtool\/kvmtool/,
    );
    expect(world.takeCalls()).not.toContain('shrinkwrap');
    writeFileSync(lockFile, readFileSync(lockFile, 'utf8').replace('edk2/edk2', 'edk2'));
    expect(await install({ lockFile }).outcome()).toMatchObject({ event: 'done' });
    expect(readInstalledStack(root).revisions['edk2']).toBe(pinned);
  });

  it('records no commit of a shrinkwrap that it did not use', async () => {
    const shrinkwrap = join(root, 'bin', 'shrinkwrap');
    expect(await install({ given: { shrinkwrap } }).outcome()).toMatchObject({ event: 'done' });
    const { revisions } = readInstalledStack(root);
    expect(revisions).not.toHaveProperty('shrinkwrap');
    expect(revisions).toMatchObject({ 'shrinkwrap version': 'shrinkwrap v2026.6.0-fake' });
    expect(await install({ given: { shrinkwrap: 'own' } }).outcome()).toMatchObject({ event: 'done' });
    expect(readInstalledStack(root).revisions['shrinkwrap']).toBe(world.head('shrinkwrap'));
  });

  it('stops in order on Ctrl-C, and a concurrent one is told which process works there', async () => {
    rmSync(join(root, 'objects'), { recursive: true });
    const request = { rebuild: ['plane0-linux' as const] };
    const run = install(request, { FAKE_PAUSE: 'plane0-kernel' });
    await run.untilPaused(world);
    const second = await install().outcome();
    expect(second).toMatchObject({
      event: 'error',
      code: 'stack-busy',
      message: expect.stringMatching(/process \d+ on/),
    });

    await run.signal('SIGINT');
    expect(await run.outcome()).toMatchObject({ event: 'error', code: 'interrupted' });
    expect(existsSync(join(root, 'stack.json'))).toBe(false);
    const resumed = await install().outcome();
    expect(resumed).toMatchObject({ ran: ['plane0-kernel', 'verify'] });
    expect(readFileSync(readInstalledStack(root).files.plane0Kernel, 'latin1')).toContain('whole');
  });

  it('uses the user’s tmk_vmm, remembers it, and detects changes', async () => {
    const mine = join(folder, 'my_tmk_vmm');
    const elf = Buffer.concat([Buffer.alloc(18), Buffer.from([183, 0]), Buffer.from('mine')]);
    writeFileSync(mine, elf);
    const given = await install({ given: { 'tmk-vmm': mine } }).outcome();
    expect(given).toMatchObject({ ran: ['tmk-vmm', 'verify'] });
    const { revisions } = readInstalledStack(root);
    expect(revisions).not.toHaveProperty('openvmm');
    expect(revisions).not.toHaveProperty('simple_tmk sha256');
    expect(readInstalledStack(root).files).not.toHaveProperty('simpleTmk');
    expect(revisions['tmk_vmm sha256']).toBe(createHash('sha256').update(elf).digest('hex'));
    expect(readFileSync(readInstalledStack(root).files.tmkVmm)).toEqual(elf);
    expect(await install().outcome()).toMatchObject({ ran: [] });
    writeFileSync(mine, Buffer.concat([elf, elf]));
    expect(await install().outcome()).toMatchObject({
      ran: ['tmk-vmm', 'verify'],
    });
  });

  it('builds in the pinned container image, and records its digest', async () => {
    const name = 'docker.io/shrinkwraptool/base-slim';
    const digests = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);
    world.publishImages({ [`${name}:2026.6.0-fake`]: digests[0] ?? '' });
    expect(await install({ runtime: 'docker' }).outcome()).toMatchObject({ ran: ['image', 'firmware', 'verify'] });
    const image = `${name}@${digests[0] ?? ''}`;
    const { shrinkwrap, revisions } = readInstalledStack(root);
    expect(shrinkwrap).toMatchObject({ runtime: 'docker', image });
    expect(revisions['container image']).toBe(image);
    expect(readFileSync(join(root, 'logs', 'firmware.log'), 'utf8')).toContain(`--image=${image} build`);

    world.publishImages({ [`${name}:2026.6.0-fake`]: digests[1] ?? '' });
    expect(await install({ runtime: 'docker' }).outcome()).toMatchObject({ ran: [] });
    const update = await install({ runtime: 'docker', refresh: true }).outcome();
    expect(update).toMatchObject({ ran: ['image', 'firmware', 'verify'] });
    expect(readInstalledStack(root).shrinkwrap.image).toBe(`${name}@${digests[1] ?? ''}`);
    expect(await install({ runtime: 'null' }).outcome()).toMatchObject({ event: 'done' });
    expect(readInstalledStack(root).revisions).not.toHaveProperty('container image');
  });

  it('names every package that is missing, in one command, before it starts', async () => {
    const bare = new FvpWorld(join(folder, 'bare'));
    for (const program of ['flex', 'parted']) bare.uninstall(program);
    bare.installProgram('dpkg-query', 'exit 1');
    const elsewhere = join(folder, 'bare-cca');
    const outcome = await new Installation(program, bare, {
      root: elsewhere,
      lockFile: bare.lockFile,
      runtime: 'null',
    }).outcome();
    const isThere = (program: string): boolean =>
      existsSync(`/usr/bin/${program}`) || existsSync(`/usr/sbin/${program}`);
    const expected = [...(isThere('flex') ? [] : ['flex']), 'libssl-dev', ...(isThere('parted') ? [] : ['parted'])];
    expect(outcome).toMatchObject({ event: 'error', code: 'tool-missing' });
    const message = 'message' in outcome ? outcome.message : '';
    const command = /sudo apt-get install (.*)/.exec(message)?.[1]?.split(' ') ?? [];
    expect(command.sort()).toEqual(expected.sort());
    expect(existsSync(join(elsewhere, 'sources'))).toBe(false);
  });
});
