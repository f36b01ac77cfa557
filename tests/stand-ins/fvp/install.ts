import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { stringify } from 'yaml';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const overlayFolder = here('../../../artifacts/cca/overlays/');

/** Root file system of the host: enough room for payloads, which come by the dozen. */
const ROOTFS_SIZE = '64M';

const NOTE = 'This file stands for one that the FVP would run. See tests/stand-ins/fvp/README.md.\n';

const CONTAINERS = '--runtime=docker';

/** `install.mjs FOLDER [--runtime=docker]` */
export async function main(argv: readonly string[]): Promise<void> {
  const [folder, ...options] = argv;
  if (folder === undefined || options.some((option) => option !== CONTAINERS)) {
    process.stderr.write('usage: node tests/stand-ins/fvp/install.mjs FOLDER [--runtime=docker]\n');
    process.exitCode = 2;
    return;
  }
  const root = installStandIn(resolve(folder), options.includes(CONTAINERS) ? 'docker' : 'null');
  process.stdout.write(`PETRI_CCA_ROOT=${root} npx vitest run --backend=fvp\n`);
}

/**
 * Makes what `petri cca install` would leave, with a model and a shrinkwrap of ours in it: programs, package, an ext4
 * root file system, `stack.json`. Replaces what is in the folder. Needs mke2fs, and no root.
 *
 * @param runtime how its shrinkwrap starts the model
 * @returns the root of the stack
 */
export function installStandIn(root: string, runtime: 'null' | 'docker' = 'null'): string {
  const bin = join(root, 'venv/bin');
  const artifacts = join(root, 'package/cca-3world');
  for (const part of ['venv', 'package', 'build', 'stack.json'])
    rmSync(join(root, part), { recursive: true, force: true });
  for (const folder of [bin, artifacts, join(root, 'build')]) mkdirSync(folder, { recursive: true });
  program(join(bin, 'shrinkwrap'), here('shrinkwrap-tool.mjs'));
  program(join(bin, 'FVP_Base_RevC-2xAEMvA'), here('FVP_Base_RevC-2xAEMvA'));
  program(join(bin, 'docker'), here('docker'), '/bin/sh');
  for (const [name, size] of [
    ['bl1.bin', 36],
    ['fip.bin', 3345],
    ['Image', 64],
    ['lkvm', 4],
    ['dt_bootargs.dtb', 16],
    ['tmk_vmm', 4],
    ['plane0-Image', 64],
  ] as const) {
    writeFileSync(join(artifacts, name), NOTE.padEnd(size * 1024, '\0'), { mode: 0o755 });
  }
  const rootfs = join(artifacts, 'rootfs.ext2');
  makeRootfs(root, rootfs);
  writeFileSync(join(root, 'package/cca-3world.yaml'), packageConfig());
  const path = [bin, process.env['PATH'] ?? ''].join(':');
  const stack = {
    version: 1,
    lockDigest: '0'.repeat(64),
    shrinkwrap: { command: join(bin, 'shrinkwrap'), version: 'shrinkwrap version 2026.6.0', runtime },
    environment: {
      SHRINKWRAP_BUILD: join(root, 'build'),
      SHRINKWRAP_PACKAGE: join(root, 'package'),
      VIRTUAL_ENV: join(root, 'venv'),
      PATH: path,
    },
    config: 'cca-3world.yaml',
    overlays: readdirSync(overlayFolder)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .map((name) => join(overlayFolder, name)),
    files: {
      rootfs,
      plane0Kernel: join(artifacts, 'plane0-Image'),
      lkvm: join(artifacts, 'lkvm'),
      tmkVmm: join(artifacts, 'tmk_vmm'),
      bl1: join(artifacts, 'bl1.bin'),
      fip: join(artifacts, 'fip.bin'),
      hostKernel: join(artifacts, 'Image'),
      deviceTree: join(artifacts, 'dt_bootargs.dtb'),
    },
    revisions: { 'stand-in': 'tests/stand-ins/fvp' },
  };
  writeFileSync(join(root, 'stack.json'), `${JSON.stringify(stack, undefined, 2)}\n`);
  return root;
}

function program(path: string, script: string, interpreter = process.execPath): void {
  writeFileSync(path, `#!/bin/sh\nexec '${interpreter}' '${script}' "$@"\n`);
  chmodSync(path, 0o755);
}

/**
 * What buildroot's image has that an init script needs, and one service of its own, which is not for the stand-in to
 * run.
 */
function makeRootfs(root: string, image: string): void {
  const folder = join(root, 'build/rootfs');
  for (const path of ['bin', 'sbin', 'etc/init.d', 'proc', 'dev', 'root', 'tmp']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'bin/busybox'), NOTE, { mode: 0o755 });
  writeFileSync(join(folder, 'etc/init.d/S40network'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', folder, image, ROOTFS_SIZE], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  rmSync(folder, { recursive: true });
}

/** The part of a built `cca-3world.yaml` that `shrinkwrap run` reads. */
function packageConfig(): string {
  const clusters = ['cluster0', 'cluster1'];
  const each = (name: string, value: string | number): [string, string | number][] =>
    clusters.map((cluster) => [`-C ${cluster}.${name}`, value]);
  const params: Record<string, string | number | null> = Object.fromEntries([
    ['--stat', null],
    ['-C bp.dram_size', 4],
    ['-C bp.has_rme', 1],
    ['-C bp.secure_memory', 0],
    ['-C bp.vis.disable_visualisation', 1],
    ['-C bp.refcounter.non_arch_start_at_default', 1],
    ['-C bp.ve_sysregs.exit_on_shutdown', 1],
    ['-C bp.smsc_91c111.enabled', 1],
    ['-C bp.hostbridge.userNetworking', 1],
    ['-C bp.hostbridge.userNetPorts', '${rtvar:LOCAL_NET_PORT}=22'],
    ...[0, 1, 2, 3].flatMap((index): [string, string | number][] => [
      [`-C bp.terminal_${index}.start_telnet`, 0],
      [`-C bp.terminal_${index}.mode`, index === 0 ? 'telnet' : 'raw'],
    ]),
    ['-C bp.virtio_rng.enabled', 1],
    ['-C bp.secureflashloader.fname', '${rtvar:BL1}'],
    ['-C bp.flashloader0.fname', '${rtvar:FIP}'],
    ['-C bp.flashloader1.fname', '${rtvar:EDK2FLASH}'],
    ['-C bp.virtioblockdevice.image_path', '${rtvar:ROOTFS}'],
    ['-C bp.virtiop9device.root_path', '${rtvar:SHARE}'],
    ['-C cluster0.cpu0.semihosting-cwd', '$${SEMIHOSTDIR}'],
    ['-C cache_state_modelled', 0],
    ['-C pctl.startup', '0.0.0.0'],
    ...each('NUM_CORES', 4),
    ...each('PA_SIZE', 48),
    ...each('rme_support_level', 2),
    ...each('output_attributes', 'ExtendedID[62:55]=MPAM_PMG,ExtendedID[54:39]=MPAM_PARTID,ExtendedID[38:37]=MPAM_SP'),
    ...each('stage12_tlb_size', 1024),
  ]);
  const path = (value: string): object => ({ type: 'path', value });
  const terminal = (friendly: string, type: string, index: number): object => ({
    friendly,
    type,
    port_regex: `terminal_${index}: Listening for serial connection on port (\\d+)`,
  });
  return stringify({
    description: 'Three worlds, for the stand-in.',
    concrete: true,
    run: {
      name: 'FVP_Base_RevC-2xAEMvA',
      rtvars: {
        LOCAL_NET_PORT: { type: 'string', value: '8022' },
        BL1: path('${param:packagedir}/bl1.bin'),
        FIP: path('${param:packagedir}/fip.bin'),
        DTB: path('${param:packagedir}/dt_bootargs.dtb'),
        KERNEL: path('${param:packagedir}/Image'),
        ROOTFS: path(''),
        SHARE: path(''),
        EDK2FLASH: path(''),
        CMDLINE: { type: 'string', value: 'console=ttyAMA0 earlycon=pl011,0x1c090000 root=/dev/vda ip=dhcp' },
      },
      params,
      prerun: [
        'SEMIHOSTDIR=`mktemp -d`',
        'function finish { rm -rf $$SEMIHOSTDIR; }',
        'trap finish EXIT',
        'cp ${rtvar:KERNEL} $${SEMIHOSTDIR}/Image',
        'cp ${rtvar:DTB} $${SEMIHOSTDIR}/fdt.dtb',
        'cat <<EOF > $${SEMIHOSTDIR}/startup.nsh\nImage dtb=fdt.dtb ${rtvar:CMDLINE}\nEOF',
      ],
      terminals: {
        'bp.terminal_0': terminal('', 'stdinout', 0),
        'bp.terminal_1': terminal('edk2', 'stdout', 1),
        'bp.terminal_2': terminal('term2', 'stdout', 2),
        'bp.terminal_3': terminal('rmm', 'stdout', 3),
      },
    },
  });
}
