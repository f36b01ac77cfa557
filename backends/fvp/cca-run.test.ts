import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tmk } from '../../petri/payload/index.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

const petriBin = fileURLToPath(new URL('../../bin/petri.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'petri-cca-run-'));
const stack = join(folder, 'stack');

/** `petri cca run` in a folder of its own. */
function run(argv: readonly string[], faults = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  const own = { PETRI_STATE_DIR: join(folder, 'state'), PETRI_FVP_MODELS: '1', PETRI_STAND_IN: faults };
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, PETRI_CCA_ROOT: undefined, ...own };
  return new Promise((resolve) => {
    execFile(process.execPath, [petriBin, 'cca', 'run', ...argv], { env, cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe.skipIf(!standInWorks())('petri cca run', () => {
  beforeAll(() => {
    installStandIn(stack);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('boots the stack, runs a TMK in a realm on it, and shows each stage of the boot in its order', async () => {
    const { code, stdout, stderr } = await run(['hello', `--root=${stack}`]);
    expect(stderr).toBe('');
    const stages = ['model', 'tf-a', 'rmm', 'host kernel', 'host agent', 'realm', 'plane 0', 'tmk_vmm'];
    const shown = [...stdout.matchAll(/^ +\d+\.\d s (waiting for boot stage|boot stage) '([^']+)'/gm)];
    expect(shown.map(([, what, stage]) => `${what === 'boot stage' ? 'reached' : 'waits'} ${stage ?? ''}`)).toEqual(
      stages.flatMap((stage) => [`waits ${stage}`, `reached ${stage}`]),
    );
    expect(stdout).toMatch(/'rmm' on console 'host', for up to \d+\.\d min/);
    expect(stdout).toMatch(/'rmm' reached after \d+\.\d s/);
    expect(stdout).toContain('hello world');
    expect(code).toBe(0);
  });

  it("runs the stack's simple_tmk if no payload is given, and reports if it has none", async () => {
    const none = await run(['simple_tmk', `--root=${stack}`]);
    expect(none.stderr).toMatch(/the stack has no simple_tmk[\s\S]*--tmk-vmm=own/);
    const description = join(stack, 'stack.json');
    const installed = JSON.parse(readFileSync(description, 'utf8')) as { files: Record<string, string> };
    const simpleTmk = join(folder, 'simple_tmk');
    copyFileSync(tmk('hello').path, simpleTmk);
    writeFileSync(description, JSON.stringify({ ...installed, files: { ...installed.files, simpleTmk } }));
    const { code, stdout, stderr } = await run([`--root=${stack}`]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/simple_tmk on fvp, isolation cca[\s\S]*hello world/);
    expect(code).toBe(0);
  });

  it('fails with the cause of a failed boot', async () => {
    const { code, stdout, stderr } = await run(['hello', '--root', stack, '--test=boot'], 'crash=rmm');
    expect(`${stdout}${stderr}`).toMatch(/(?:the RMM panicked|an assertion of the RMM failed), .* boot stage '/);
    expect(code).toBe(1);
  });

  it('reports how to install a missing stack', async () => {
    const nowhere = join(folder, 'nowhere');
    const { code, stderr } = await run(['--root', nowhere]);
    expect(stderr).toMatch(/no FVP stack is installed[\s\S]*petri cca install/);
    expect(code).toBe(1);
    const building = await run(['--root', nowhere, '--build-only']);
    expect(building.stderr).toMatch(/there is no stack in .*nowhere/);
    expect(building.code).toBe(1);
  });
});
