import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { endsWithUs } from '../../unit-test/ends-with-us.ts';
import { runInterruptible } from './interruptible.ts';
import { procTable, systemProcessTable } from './process-table.ts';
import { stateFolders } from './state-directory.ts';
import { Supervisor } from './supervisor.ts';
import { usePrivateState } from './testing.ts';

usePrivateState();
const command = fileURLToPath(new URL('fixtures/command.mjs', import.meta.url));
const stubborn = fileURLToPath(new URL('fixtures/stubborn.sh', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs the command and interrupts it when it is ready, and again each time that it reports that it is ending. */
async function interrupt(mark: string, times: number): Promise<Outcome> {
  const child = spawn(process.execPath, [...endsWithUs, command, stubborn], {
    env: { ...process.env, PETRI_INTERRUPT_TEST: `${mark} of ${process.pid}` },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line);
    if (line === 'ready') child.kill('SIGINT');
  });
  createInterface(child.stderr).on('line', (line) => {
    if (line.includes('once more') && times > 1) child.kill('SIGINT');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines };
}

function family(mark: string): number[] {
  const variable = `PETRI_INTERRUPT_TEST=${mark} of ${process.pid}`;
  return procTable.list().flatMap(({ pid }) => (procTable.environment(pid)?.includes(variable) === true ? [pid] : []));
}

describe.runIf(systemProcessTable() === procTable)('Ctrl-C', () => {
  it('once ends everything in order, and the command reports the signal', async () => {
    expect(await interrupt('once', 1)).toEqual({ code: 9, lines: ['ready', 'interrupted: interrupted by SIGINT'] });
    expect(family('once')).toEqual([]);
    expect(readdirSync(stateFolders().ledgers)).toEqual([]);
  });

  it('twice ends everything at once', async () => {
    expect(await interrupt('twice', 2)).toEqual({ code: 130, lines: ['ready'] });
    await expect.poll(() => family('twice')).toEqual([]);
    await expect.poll(() => readdirSync(stateFolders().ledgers)).toEqual([]);
  });
});

describe('something interruptible', () => {
  it('returns the result, and ends what was started', async () => {
    const before = process.listenerCount('SIGINT');
    const result = await runInterruptible(async (signal) => {
      expect(process.listenerCount('SIGINT')).toBe(before + 1);
      await Supervisor.open();
      return signal.aborted;
    });
    expect(result).toBe(false);
    expect(Supervisor.current()).toBeUndefined();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('rejects with the error of `run`', async () => {
    const failure = new Error('mine');
    await expect(runInterruptible(() => Promise.reject(failure))).rejects.toBe(failure);
  });
});
