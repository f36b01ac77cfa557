import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import { parseSource } from './request.ts';

const petriBin = fileURLToPath(new URL('../../../bin/petri.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'petri-cca-'));
const root = join(folder, 'cca');
const qemuRoot = join(folder, 'cca-qemu');

function cca(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const roots = { PETRI_CCA_ROOT: root, PETRI_QEMU_CCA_ROOT: qemuRoot };
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, PETRI_TMK_VMM: undefined, ...roots };
  return new Promise((resolve) => {
    execFile(process.execPath, [petriBin, 'cca', ...argv], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('petri cca', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a plan with sources, reasons and command lines, and changes nothing', async () => {
    const { code, stdout } = await cca('install', '--dry-run', '--runtime=podman', '--source', 'tfa=@v2.14');
    expect(code).toBe(0);
    expect(stdout).toContain(`${root}: 11 of 12 steps would run. Nothing was changed.`);
    expect(stdout).toMatch(/tfrmm .*tf-rmm\.git\n +9a98e8fcb1645b9917b2abd79212e6e3062e09fd/);
    expect(stdout).toMatch(/git ls-remote https:\S*trusted-firmware-a\.git v2\.14/);
    expect(stdout).toMatch(/personal fork/);
    expect(stdout).toMatch(/8\/12 firmware .*\n +would run: it has not been done yet/);
    expect(stdout).toContain("$ podman pull 'docker.io/shrinkwraptool/base-slim:<version of shrinkwrap>'");
    expect(stdout).toMatch(
      /bin\/shrinkwrap --runtime=podman '--image=<digest of the image of shrinkwrap>' build cca-3world\.yaml --overlay=buildroot\.yaml/,
    );
    expect(existsSync(root)).toBe(false);
  });

  it('does not plan to build a given tmk_vmm', async () => {
    const { stdout } = await cca('install', '--dry-run', `--tmk-vmm=${process.execPath}`);
    expect(stdout).toContain(`Take tmk_vmm from ${process.execPath}`);
    expect(stdout).not.toContain('cargo');
  });

  it('plans the requested update, with every given revision and source', async () => {
    const rebuild = ['--rebuild-plane0-linux', '--rebuild-rootfs'];
    const revisions = ['--tfa-rev=v2.14', '--tfrmm-rev', 'main', '--plane0-linux-rev=cca/next'];
    const sources = ['--source', 'kvmtool=@v6', '--source', 'openvmm=https://example.org/openvmm.git@main'];
    const { code, stdout } = await cca('update', '--dry-run', ...rebuild, ...revisions, ...sources);
    expect(code).toBe(0);
    for (const ref of [
      'trusted-firmware-a.git v2.14',
      'tf-rmm.git main',
      'OHCL-Linux-Kernel.git cca/next',
      'kvmtool-cca.git v6',
      'example.org/openvmm.git main',
    ]) {
      expect(stdout).toContain(ref);
    }
    expect(stdout).toMatch(/6\/12 plane0-kernel .*\n +would run: asked for/);
    expect(stdout).toMatch(/8\/12 firmware .*\n +would run/);
  });

  it('plans the stack of another platform with the same command', async () => {
    const { code, stdout } = await cca('install', '--platform=qemu', '--dry-run', '--qemu=own', '--source=tfa=@v2.15');
    expect(code).toBe(0);
    expect(stdout).toContain(`${qemuRoot}: 23 of 24 steps would run. Nothing was changed.`);
    expect(stdout).toMatch(/tfrmm .*tf-rmm\.git\n +f00eac344b6f7c18abc6dad1948b07e9a82ff9f0/);
    expect(stdout).toMatch(/git ls-remote https:\S*trusted-firmware-a\.git v2\.15/);
    expect(stdout).toMatch(/make -C \S+\/sources\/tfa PLAT=qemu .*ENABLE_FEAT_RME=1 ENABLE_RMM=1 .*RMM=\S+rmm\.img/);
    expect(stdout).toMatch(/cmake -DRMM_CONFIG=qemu_virt_defcfg/);
    expect(stdout).toContain('--target-list=aarch64-softmmu');
    expect(existsSync(qemuRoot)).toBe(false);
  });

  it('reports by its exit code that nothing is installed', async () => {
    const { code, stdout } = await cca('status', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ platform: 'fvp', root, whole: false });
    const qemu = await cca('status', '--platform=qemu');
    expect(qemu.code).toBe(1);
    expect(qemu.stdout).toContain('npx petri cca install --platform=qemu builds what is due');
  });

  it.each([
    [['remove'], /no command 'cca remove'[\s\S]*install/],
    [['install', '--platform=sim'], /platform 'sim'[\s\S]*fvp, qemu/],
    [['install', '--platform=qemu', '--runtime=docker'], /'qemu' does not take --runtime[\s\S]*--tmk-vmm, --qemu/],
    [['install', '--qemu=own'], /'fvp' does not take --qemu/],
    [['install', '--only=firmware', '--bl33=x'], /'fvp' does not take --only, --bl33/],
    [['install', '--platform=qemu', '--only=half', '--dry-run'], /no part 'half'[\s\S]*firmware/],
    [['install', '--platform=qemu', '--source=edk3=@x', '--dry-run'], /no source 'edk3'[\s\S]*busybox/],
    [['install', '--tfa-rev=v2'], /install does not take --tfa-rev[\s\S]*--source/],
    [['install', '--rebuild-plane0-linux'], /does not take --rebuild-plane0-linux/],
    [['status', '--dry-run'], /status does not take --dry-run/],
    [['install', '--jobs=many'], /--jobs/],
    [['install', '--runtime=vm', '--dry-run'], /no runtime 'vm'[\s\S]*podman/],
    [['install', '--source=tfa', '--dry-run'], /names no source and place/],
    [['install', '--root=/tmp/a b', '--dry-run'], /cannot be built in '\/tmp\/a b'/],
  ])('refuses %j with 2', async (argv, message) => {
    const { code, stderr } = await cca(...argv);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });

  it('has nothing to update without an installation', async () => {
    const { code, stderr } = await cca('update');
    expect(stderr).toMatch(/no stack in .*[\s\S]*petri cca install/);
    expect(code).toBe(1);
  });
});

describe('--source', () => {
  it.each([
    ['tfa=https://e.org/tfa.git', { name: 'tfa', repository: 'https://e.org/tfa.git' }],
    ['tfa=https://e.org/tfa.git@v2.14', { name: 'tfa', repository: 'https://e.org/tfa.git', revision: 'v2.14' }],
    ['tfa=/srv/tfa@cca/planes', { name: 'tfa', repository: '/srv/tfa', revision: 'cca/planes' }],
    ['tfa=git@e.org:tfa.git', { name: 'tfa', repository: 'git@e.org:tfa.git' }],
    ['tfa=git@e.org:tfa.git@main', { name: 'tfa', repository: 'git@e.org:tfa.git', revision: 'main' }],
    ['tfa=ssh://git@e.org/tfa.git', { name: 'tfa', repository: 'ssh://git@e.org/tfa.git' }],
    ['tfa=ssh://git@e.org/tfa.git@main', { name: 'tfa', repository: 'ssh://git@e.org/tfa.git', revision: 'main' }],
    ['host-linux=@v6', { name: 'host-linux', revision: 'v6' }],
  ])('understands %s', (given, source) => {
    expect(parseSource(given)).toEqual(source);
  });
});
