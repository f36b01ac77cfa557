import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { launchVm, resolveVmConfig } from '../../petri/vm/index.ts';
import { backend } from './index.ts';
import { removeRunScripts } from './model.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-start-')));
const stack = join(folder, 'stack');

beforeEach(() => {
  vi.stubEnv('PETRI_CCA_ROOT', stack);
  vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
  vi.stubEnv('PETRI_FVP_MODELS', '1');
});

afterEach(async () => {
  await backend.close?.();
  vi.unstubAllEnvs();
});

afterAll(async () => {
  await Supervisor.current()?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Boots a TMK to its end. @returns the log */
async function boot(name: string): Promise<string> {
  const vm = await launchVm(
    backend,
    { isolation: 'cca', payload: tmk('hello'), config: resolveVmConfig(), machine: 'shared' },
    { directory: join(folder, name), features: ['tmk', 'tmk.events', 'reset'] },
  );
  try {
    expect(await vm.halted).toEqual({ reason: 'complete', success: true });
  } finally {
    await vm.dispose();
  }
  return readFileSync(join(vm.directory, 'petri.log'), 'utf8');
}

describe.skipIf(!standInWorks())('a model is started', () => {
  const model = join(stack, 'venv/bin/FVP_Base_RevC-2xAEMvA');

  beforeEach(() => {
    installStandIn(stack);
  });

  it('by the script of shrinkwrap, which may start another model than it names', async () => {
    expect(await boot('script')).toContain('is started by the script of shrinkwrap');
    await backend.close?.();
    vi.stubEnv('PETRI_FVP_MODEL', model);
    expect(await boot('own')).toContain('is started by the script of shrinkwrap');
  });

  it('without shrinkwrap, if that is not installed', async () => {
    rmSync(join(stack, 'venv/bin/shrinkwrap'));
    vi.stubEnv('PETRI_FVP_MODEL', model);
    expect(await boot('direct')).toContain('is started without shrinkwrap');
  });
});

describe('what shrinkwrap leaves behind', () => {
  it('is removed if it is ours and the run has ended, and nothing else is', async () => {
    const packages = join(folder, 'packages');
    const run = (name: string, rootfs: string): void => {
      mkdirSync(join(packages, name), { recursive: true });
      writeFileSync(join(packages, name, 'script.sh'), `FVP \\\n -C bp.virtioblockdevice.image_path=${rootfs} \\\n`);
    };
    run('tmpours', '/tmp/petri-vm-fvp-1/rootfs.ext4');
    run('tmprunning', '/tmp/petri-vm-fvp-2/rootfs.ext4');
    run('tmptheirs', '/home/user/rootfs.ext4');
    run('cca-3world', '/tmp/petri-vm-fvp-1/rootfs.ext4');
    await removeRunScripts(packages, (rootfs) => rootfs.includes('fvp-1'));
    expect(readdirSync(packages).sort()).toEqual(['cca-3world', 'tmprunning', 'tmptheirs']);
  });
});
