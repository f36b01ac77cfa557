import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { probe } from './probe.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-probe-'));
  vi.stubEnv('PETRI_CCA_ROOT', join(folder, 'stack'));
  vi.stubEnv('PETRI_FVP_MODELS', '1');
  vi.stubEnv('PETRI_FVP_MODEL', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function missing(): Promise<string> {
  const result = await probe();
  return result.available ? '' : result.missing.map(({ what, remedy }) => `${what}: ${remedy}`).join('\n');
}

function changeStack(
  change: (stack: { shrinkwrap: Record<string, string>; files: Record<string, string> }) => void,
): void {
  const path = join(folder, 'stack', 'stack.json');
  const stack = JSON.parse(readFileSync(path, 'utf8')) as Parameters<typeof change>[0];
  change(stack);
  writeFileSync(path, JSON.stringify(stack));
}

describe('the requirements of the backend', () => {
  it('include a stack, with a remedy if there is none', async () => {
    expect(await missing()).toMatch(/no FVP stack is installed in .*: run: npx petri cca install/);
  });

  it('report an invalid stack, and an invalid setting', async () => {
    vi.stubEnv('PETRI_FVP_MODELS', 'many');
    expect(await missing()).toMatch(/PETRI_FVP_MODELS is "many".*give a whole number/);
  });

  describe.skipIf(!standInWorks())('with a stack', () => {
    beforeEach(() => {
      installStandIn(join(folder, 'stack'));
    });

    it('are met by the stand-in', async () => {
      const result = await probe();
      expect(result).toMatchObject({
        available: true,
        isolation: { cca: ['tmk', 'tmk.events', 'reset'] },
        pace: { parallel: 1 },
        facts: { model: expect.stringMatching(/^Fast Models \[11\./) as string },
      });
    });

    it('include each of its files', async () => {
      changeStack((stack) => {
        stack.files['lkvm'] = '/nowhere/lkvm';
        stack.files['tmkVmm'] = '/nowhere/tmk_vmm';
      });
      expect(await missing()).toMatch(/lkvm is not at \/nowhere\/lkvm.*\n.*tmkVmm is not at \/nowhere\/tmk_vmm/);
    });

    it('include a model that reports its version', async () => {
      const model = join(folder, 'model');
      writeFileSync(model, '#!/bin/sh\necho "no licence" >&2\nexit 1\n');
      chmodSync(model, 0o755);
      vi.stubEnv('PETRI_FVP_MODEL', model);
      expect(await missing()).toMatch(/does not report a version of Fast Models: no licence/);
      vi.stubEnv('PETRI_FVP_MODEL', join(folder, 'nothing'));
      expect(await missing()).toMatch(/PETRI_FVP_MODEL is .*nothing, which is no program: get FVP_Base/);
    });

    it('include a usable container runtime, if the stack needs one', async () => {
      const docker = join(folder, 'docker');
      writeFileSync(docker, '#!/bin/sh\necho "permission denied" >&2\nexit 1\n');
      chmodSync(docker, 0o755);
      vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
      changeStack((stack) => {
        stack.shrinkwrap['runtime'] = 'docker';
      });
      expect(await missing()).toMatch(/docker cannot be used: permission denied: .*group docker/);
    });

    it('include shrinkwrap', async () => {
      rmSync(join(folder, 'stack/venv/bin/shrinkwrap'));
      expect(await missing()).toMatch(/shrinkwrap is not at .*: run: npx petri cca install/);
    });
  });
});
