import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const petriBin = fileURLToPath(new URL('../../bin/petri.mjs', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function petri(...argv: string[]): Promise<Outcome> {
  const env = { ...process.env, PETRI_CCA_ROOT: '/nowhere', NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, [petriBin, ...argv], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('the petri command', () => {
  it('lists its commands if none is given', async () => {
    const { code, stdout } = await petri();
    for (const command of ['test', 'list', 'doctor', 'tmk', 'cca', 'sweep'])
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(code).toBe(0);
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect((await petri('--version')).stdout).toContain(version);
  });

  it.each([
    [['nosuch'], /no command 'nosuch'[\s\S]*test, list, doctor/],
    [['doctor', '--nosuch'], /nosuch/],
    [['doctor', '--backend=nosuch'], /no backend 'nosuch'[\s\S]*sim/],
    [['test', '--backend'], /--backend needs a value/],
  ])('reports what is wrong with %j and exits with 2', async (argv, message) => {
    const { code, stdout, stderr } = await petri(...argv);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('prints what the simulator can do as JSON', async () => {
    const { code, stdout } = await petri('doctor', '--backend=sim', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      backends: [{ name: 'sim', probe: { available: true, isolation: { cca: expect.arrayContaining(['planes']) } } }],
    });
    expect(code).toBe(0);
  });

  it('exits with 1 if the requested backend cannot run here', async () => {
    const { code, stdout } = await petri('doctor', '--backend=fvp');
    expect(stdout).toMatch(/fvp {2}not available[\s\S]*no FVP stack is installed[\s\S]*remedy:.*petri cca install/);
    expect(code).toBe(1);
  });
});
