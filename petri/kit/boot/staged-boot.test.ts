import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PetriError } from '../../errors.ts';
import { SerialConsole } from '../../serial/index.ts';
import { BootError } from './boot-error.ts';
import { crashSignatures } from './crash-signatures.ts';
import type { BootStage } from './stage.ts';
import { stagedBoot, type StagedBootOptions } from './staged-boot.ts';

const LONG = 60_000;

let directory: string;
let consoles: Map<string, SerialConsole>;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'petri-boot-'));
  consoles = new Map(['host', 'tf-a', 'rmm'].map((name) => [name, new SerialConsole({ name, directory })]));
});
afterEach(() => {
  for (const console of consoles.values()) console.dispose();
  rmSync(directory, { recursive: true });
});

const stages: readonly BootStage[] = [
  { name: 'TF-A', console: 'host', marker: 'NOTICE:  Booting Trusted Firmware', deadline: LONG },
  { name: 'RMM', console: 'rmm', marker: /^Booting RMM v\./, deadline: LONG },
  { name: 'host shell', console: 'host', marker: 'host-ready', deadline: LONG },
];

function print(name: string, text: string): void {
  consoles.get(name)?.push(Buffer.from(text));
}

function boot(options: Partial<StagedBootOptions> = {}): ReturnType<typeof stagedBoot> {
  return stagedBoot({ stages, consoles, crashes: crashSignatures, slowFactor: 1, ...options });
}

async function failureOf(promise: Promise<unknown>): Promise<BootError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BootError)) throw new Error(`expected a BootError, got ${String(error)}`);
  return error;
}

describe('stagedBoot', () => {
  it('reports each stage as it is reached, in order', async () => {
    const seen: string[] = [];
    const booting = boot({ onStage: ({ name }) => seen.push(name) });
    print('rmm', 'Booting RMM v.0.7.0(debug)\n');
    await turn();
    expect(seen).toEqual([]);
    print('host', 'NOTICE:  Booting Trusted Firmware\n');
    print('host', '# host-ready\n');
    const report = await booting;
    expect(report.stages.map(({ name }) => name)).toEqual(['TF-A', 'RMM', 'host shell']);
    expect(seen).toEqual(['TF-A', 'RMM', 'host shell']);
  });

  it('accepts a marker that was printed earlier, but only after the previous stage of the same console', async () => {
    print('host', 'host-ready\nNOTICE:  Booting Trusted Firmware\n');
    print('rmm', 'Booting RMM v.0.7.0\n');
    const short = stages.map((stage) => ({ ...stage, deadline: stage.name === 'host shell' ? 1 : LONG }));
    expect((await failureOf(boot({ stages: short }))).stage).toBe('host shell');
    print('host', 'host-ready\n');
    await boot({ stages: stages.slice(2) });
  });

  it('reports at a deadline the stage, the stages before it, what runs and the output of each console', async () => {
    print('host', 'NOTICE:  Booting Trusted Firmware\nERROR:   something odd\n');
    const short = stages.map((stage) => ({ ...stage, deadline: stage.name === 'RMM' ? 20 : LONG }));
    const error = await failureOf(
      boot({ stages: short, slowFactor: 2, running: () => 'FVP model (pid 123) is running' }),
    );
    expect(error).toMatchObject({ code: 'boot-failed', step: 'boot', stage: 'RMM', kind: 'deadline' });
    expect(error.message).toContain("boot stage 'RMM' was not reached within 40 ms (20 ms times the slow factor 2)");
    expect(error.message).toContain("waited for the pattern /^Booting RMM v\\./ on console 'rmm'");
    expect(error.message).toMatch(/reached before: TF-A \(\d+ ms\)/);
    expect(error.message).toContain('FVP model (pid 123) is running');
    expect(error.message).toContain(`log of 'host': ${join(directory, 'host.log')}`);
    expect(error.transcriptTail).toMatch(
      /--- host, the last of [\d,]+ bytes:\n {2}\| NOTICE.*\n {2}\| ERROR: {3}something odd/,
    );
    expect(error.transcriptTail).toContain('--- rmm: nothing arrived');
    expect(error.transcriptTail).toContain('--- tf-a: nothing arrived');
    expect(error.remedy).toContain('PETRI_SLOW_FACTOR above 2');
  });

  it('ends at once when any console prints a crash, however the text is split', async () => {
    const text = 'regs\r\nPANIC in EL3.\r\nx30 = 0x1\r\n';
    for (let at = 0; at <= text.length; at += 1) {
      const console = new SerialConsole({ name: 'tf-a' });
      const failing = failureOf(boot({ consoles: new Map([...consoles, ['tf-a', console]]) }));
      console.push(Buffer.from(text.slice(0, at)));
      await turn();
      console.push(Buffer.from(text.slice(at)));
      const error = await failing;
      expect(error).toMatchObject({ kind: 'crash', stage: 'TF-A' });
      expect(error.message).toContain('TF-A panicked');
      expect(error.message).toContain("console 'tf-a' has: PANIC in EL3.");
    }
  });

  it('finds a crash that was printed earlier, one in an unfinished line, and one next to the last marker', async () => {
    print('rmm', 'Assertion "granule" failed x.c:1');
    expect(await failureOf(boot())).toMatchObject({ kind: 'crash', stage: 'TF-A' });
    const late = new Map([['host', new SerialConsole({ name: 'host' })]]);
    late.get('host')?.push(Buffer.from('host-ready\n[ 1.0] Kernel panic - not syncing: VFS: x\n'));
    const error = await failureOf(boot({ consoles: late, stages: stages.slice(2) }));
    expect(error.message).toContain('a Linux kernel panicked');
  });

  it('searches for a signature only on its own console', async () => {
    const crashes = [{ console: 'rmm', pattern: /fatal/, meaning: 'the RMM said so' }];
    print('host', 'fatal\nhost-ready\n');
    await boot({ crashes, stages: stages.slice(2) });
    print('rmm', 'fatal\n');
    expect((await failureOf(boot({ crashes }))).message).toContain('the RMM said so');
  });

  it('accepts signatures with groups, and reports the matching one', async () => {
    const crashes = [
      { pattern: /^(?<who>a)\k<who> broke/g, meaning: 'twins broke' },
      { pattern: /(b)\1 broke/i, meaning: 'capitals broke' },
    ];
    print('host', 'BB broke\n');
    expect((await failureOf(boot({ crashes }))).message).toContain('capitals broke');
  });

  it('ends with the machine, and reports a crash that it printed last', async () => {
    const error = await failureOf(boot({ exited: Promise.resolve('the model exited with code 134') }));
    expect(error).toMatchObject({ kind: 'exited', stage: 'TF-A' });
    expect(error.message).toContain("ended before boot stage 'TF-A'");
    expect(error.message).toContain('the model exited with code 134');
    print('host', 'ERROR:   BL2: Failed to load image id 5 (-2)\n');
    const crash = await failureOf(boot({ exited: Promise.resolve('the model exited with code 1') }));
    expect(crash.kind).toBe('crash');
    expect(crash.message).toContain('BL2 could not load an image of the FIP');
    expect(crash.message).toContain('then the model exited with code 1');
  });

  it('ends when the console of the marker ends', async () => {
    consoles.get('host')?.close('the connection broke');
    const error = await failureOf(boot());
    expect(error.kind).toBe('exited');
    expect(error.message).toContain("console 'host' ended: the connection broke");
  });

  it('ends when it is aborted, before and during a stage', async () => {
    const controller = new AbortController();
    const failing = failureOf(boot({ signal: controller.signal }));
    controller.abort(new Error('the test is over'));
    const error = await failing;
    expect(error).toMatchObject({ kind: 'aborted', stage: 'TF-A' });
    expect(error.message).toContain('the test is over');
    expect((await failureOf(boot({ signal: controller.signal }))).kind).toBe('aborted');
  });

  it('rejects a stage on a console that does not exist, without waiting', async () => {
    const wrong = [{ name: 'x', console: 'uart9', marker: 'x', deadline: LONG }];
    await expect(boot({ stages: wrong })).rejects.toMatchObject({
      code: 'invalid-option',
      remedy: 'name one of: host, tf-a, rmm',
    });
    const empty = [{ name: 'x', console: 'host', marker: '', deadline: LONG }];
    await expect(boot({ stages: empty })).rejects.toThrow(PetriError);
  });

  it('leaves the consoles at the position after the last marker for the next reader', async () => {
    print('host', 'host-ready and more\n');
    await boot({ stages: stages.slice(2) });
    expect((await consoles.get('host')?.waitFor('more'))?.before).toBe(' and ');
  });
});
