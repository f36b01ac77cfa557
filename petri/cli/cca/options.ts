import { z } from 'zod';

import type { OptionValues } from '../options.ts';

export const defaultPlatform = 'fvp';

const installing = ['install', 'update'] as const;
const updating = ['update'] as const;
const running = ['run'] as const;

export const ccaOptions = {
  platform: { value: 'name', help: 'What it is for: fvp (without it), or qemu' },
  root: {
    value: 'folder',
    help: 'Folder of the stack; without it PETRI_CCA_ROOT or .petri/cca, for qemu PETRI_QEMU_CCA_ROOT or .petri/cca-qemu',
  },
  'dry-run': { help: 'Print the plan: what would run, why, and from which sources', actions: installing },
  lock: {
    value: 'file',
    help: "A lock file instead of the one that comes with petri-vm. 'own': that one again",
    actions: installing,
  },
  source: {
    value: 'name=url@rev',
    repeatable: true,
    help: 'Take a source from elsewhere; repeatable. NAME=URL, NAME=URL@REV or NAME=@REV',
    actions: installing,
  },
  jobs: {
    value: 'count',
    schema: z.coerce.number().int().positive(),
    help: 'Compilers at once; the number of processors without it',
    actions: installing,
  },
  runtime: {
    value: 'name',
    help: 'fvp: where shrinkwrap runs things: docker (the default), podman, null and others',
    actions: installing,
  },
  'tmk-vmm': {
    value: 'file',
    help: "A tmk_vmm of yours, instead of building it; PETRI_TMK_VMM. 'own': build it again",
    actions: installing,
  },
  shrinkwrap: {
    value: 'file',
    help: "fvp: a shrinkwrap of yours, instead of our own; PETRI_SHRINKWRAP. 'own': ours again",
    actions: installing,
  },
  qemu: {
    value: 'file',
    help: "qemu: a QEMU of yours. 'installed': the one in PATH (the default); 'own': build it",
    actions: installing,
  },
  only: {
    value: 'part',
    help: "qemu: 'firmware': the RMM, TF-A and what it starts, alone. 'all': everything again",
    actions: installing,
  },
  bl33: {
    value: 'file',
    help: "qemu: what TF-A starts in the normal world, instead of EDK2. 'own': EDK2 again",
    actions: installing,
  },
  'rebuild-plane0-linux': { help: 'build Linux for plane 0 again', actions: updating },
  'rebuild-rootfs': { help: 'build the root file system again', actions: updating },
  'rebuild-tmk': { help: "build OpenVMM's tmk_vmm and simple_tmk again", actions: updating },
  'tfa-rev': { value: 'rev', help: 'branch, tag or commit of TF-A', actions: updating },
  'tfrmm-rev': { value: 'rev', help: 'branch, tag or commit of TF-RMM', actions: updating },
  'plane0-linux-rev': { value: 'rev', help: 'branch, tag or commit of Linux for plane 0', actions: updating },
  json: { help: 'print JSON', actions: ['status'] },
  test: { value: 'name', help: 'only this test of the TMKs', actions: running },
  timeout: {
    value: 'seconds',
    schema: z.coerce.number().positive(),
    help: 'seconds that each test may take once the stack is up; 30 without it',
    actions: running,
  },
  'build-only': { help: 'build what of the installed stack is due, and boot nothing', actions: running },
  verbose: {
    help: 'Show what each step prints; run: every console, of firmware, RMM and host',
    actions: [...installing, ...running],
  },
} as const;

export type CcaCommandOptions = OptionValues<typeof ccaOptions> & { readonly platform: string };
export type CcaAction = 'install' | 'update' | 'run' | 'status';
