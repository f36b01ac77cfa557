import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { procTable, systemProcessTable } from './process-table.ts';
import { readLedger } from './read-ledger.ts';
import { stateFolders } from './state-directory.ts';
import { Supervisor } from './supervisor.ts';
import { usePrivateState } from './testing.ts';
import { bears, entryToken, isReaper, TOKEN_VARIABLE } from './token.ts';
import type { SupervisedProcess } from './types.ts';

const home = usePrivateState();
const stubborn = fileURLToPath(new URL('fixtures/stubborn.sh', import.meta.url));

afterEach(async () => {
  await Supervisor.current()?.close();
});

async function shell(script: string, options: { output?: string; graceMs?: number } = {}): Promise<SupervisedProcess> {
  const supervisor = await Supervisor.open();
  return await supervisor.spawn({ name: 'script', command: 'sh', args: ['-c', script], ...options });
}

/** Entries of the ledger of this process. */
function openEntries(): unknown[] {
  const { ledgers } = stateFolders();
  return readdirSync(ledgers)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap<unknown>((name) => {
      const state = readLedger(join(ledgers, name));
      return state === undefined || 'unreadable' in state ? ['unreadable'] : state.open.map(({ thing }) => thing);
    });
}

function isThere(pid: number): boolean {
  return systemProcessTable().find(pid) !== undefined;
}

/** Reads the first line of a process's output as a number. */
async function printedPid(started: SupervisedProcess): Promise<number> {
  for await (const chunk of started.stdout) return Number(String(chunk));
  throw new Error('it printed nothing');
}

describe('a supervised process', () => {
  it('reports its output and how it ended, and is in the ledger until then', async () => {
    const started = await shell('read line; echo "got $line"; echo oops >&2; exit 3');
    expect(openEntries()).toEqual([{ kind: 'process', name: 'script', graceMs: 3000 }]);
    expect(started.exit).toBeUndefined();
    started.stdin.write('it\n');
    const exit = await started.exited;
    expect(exit).toMatchObject({ code: 3 });
    expect(exit.describe()).toBe('exited with code 3');
    expect(started.exit).toBe(exit);
    expect(await text(started.stdout)).toBe('got it\n');
    expect(await text(started.stderr)).toBe('oops\n');
    expect(openEntries()).toEqual([]);
    expect(await started.stop()).toEqual({ survivors: [] });
  });

  it('is in a session of its own, with an input that stays open', async () => {
    const started = await shell('exec cat');
    expect(systemProcessTable().find(started.pid)).toMatchObject({ group: started.pid, session: started.pid });
    expect(await started.stop()).toEqual({ survivors: [] });
    expect((await started.exited).describe()).toBe('was ended by SIGTERM');
    // Has no effect.
    started.stdin.write('too late\n');
  });

  it('continues when its output is not read, and saves all of it to a file', async () => {
    const output = join(home.folder, 'output');
    const started = await shell('head -c 8000000 /dev/zero; echo end', { output });
    await started.exited;
    const kept = readFileSync(output);
    expect(kept.length).toBe(8_000_004);
    expect(kept.subarray(-4).toString()).toBe('end\n');
    const late = await text(started.stdout);
    expect(late).toMatch(/\[petri: \d+ bytes were not read in time and are left out\]/);
    expect(late.endsWith('end\n')).toBe(true);
    expect(late.length).toBeLessThan(2_000_000);
  });

  it('is killed at once by a second stop without a grace period', async () => {
    const started = await shell('trap "" TERM; echo $$; while :; do sleep 1; done', { graceMs: 60_000 });
    await printedPid(started);
    const patient = started.stop();
    await started.stop({ graceMs: 0 });
    expect(await patient).toEqual({ survivors: [] });
    expect((await started.exited).describe()).toBe('was ended by SIGKILL');
  });

  it('ends with all processes of its group', async () => {
    const started = await shell('sleep 1000 & echo $!; exit 0');
    const orphan = await printedPid(started);
    await started.exited;
    expect(isThere(orphan)).toBe(true);
    expect(openEntries()).toHaveLength(1);
    expect(await started.stop()).toEqual({ survivors: [] });
    expect(isThere(orphan)).toBe(false);
    expect(openEntries()).toEqual([]);
  });

  it.runIf(systemProcessTable() === procTable)('ends with descendants that left its group', async () => {
    const value = `stubborn of ${process.pid}`;
    const mark = `PETRI_SPAWN_TEST=${value}`;
    const supervisor = await Supervisor.open();
    const started = await supervisor.spawn({
      name: 'stubborn',
      command: 'sh',
      args: [stubborn],
      env: { PETRI_SPAWN_TEST: value },
      graceMs: 100,
    });
    const family = (): number[] =>
      procTable.list().flatMap(({ pid }) => (procTable.environment(pid)?.includes(mark) === true ? [pid] : []));
    await expect.poll(() => family().length).toBeGreaterThanOrEqual(4);
    expect(new Set(family().map((pid) => procTable.find(pid)?.session)).size).toBeGreaterThan(1);
    expect(await started.stop()).toEqual({ survivors: [] });
    expect(family()).toEqual([]);
  });

  it('is ended with the supervisor, as is everything else', async () => {
    const started = await shell('sleep 1000');
    const supervisor = await Supervisor.open();
    const folder = await supervisor.temporaryFolder('test');
    const slot = await supervisor.slot('test', 1);
    expect(slot.index).toBe(0);
    expect(openEntries()).toHaveLength(3);
    await supervisor.close();
    expect(isThere(started.pid)).toBe(false);
    expect(existsSync(folder.path)).toBe(false);
    const { ledgers, slots } = stateFolders();
    expect(readdirSync(join(slots, 'test'))).toEqual([]);
    expect(readdirSync(ledgers)).toEqual([]);
    expect(Supervisor.current()).toBeUndefined();
    await expect(supervisor.spawn({ name: 'late', command: 'true', args: [] })).rejects.toThrow(
      'nothing can be started',
    );
  });

  it('stops waiting for a place when the supervisor closes', async () => {
    const supervisor = await Supervisor.open();
    await supervisor.slot('closing', 1);
    const waiting = supervisor.slot('closing', 1, { onWait: () => void supervisor.close() });
    await expect(waiting).rejects.toMatchObject({ code: 'interrupted' });
    await supervisor.close();
    expect(readdirSync(join(stateFolders().slots, 'closing'))).toEqual([]);
  });

  it.runIf(systemProcessTable() === procTable)('has the tokens of all supervisors above it', async () => {
    vi.stubEnv(TOKEN_VARIABLE, ':1-outer/0:');
    try {
      const started = await shell('sleep 1000');
      const environment = procTable.environment(started.pid) ?? '';
      expect(bears(environment, entryToken('1-outer', 0))).toBe(true);
      expect(environment).toMatch(new RegExp(`${TOKEN_VARIABLE}=:1-outer/0::${process.pid}-[0-9a-f]+/0:`));
      // A reaper must not be ended by its owner's supervisor.
      const reapers = procTable.list().filter(({ parent }) => parent === process.pid);
      const environments = reapers.map(({ pid }) => procTable.environment(pid)).filter(isReaper);
      expect(environments).toHaveLength(1);
      expect(environments[0]).not.toContain(TOKEN_VARIABLE);
    } finally {
      vi.stubEnv(TOKEN_VARIABLE, undefined);
    }
  });

  it('reports why it cannot be started', async () => {
    const supervisor = await Supervisor.open();
    const file = join(home.folder, 'no-program');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const start = (options: { command: string; cwd?: string; output?: string }) =>
      supervisor.spawn({ name: 'model', args: [], ...options });
    await expect(start({ command: 'no-such-program' })).rejects.toMatchObject({ code: 'tool-missing' });
    await expect(start({ command: file })).rejects.toMatchObject({ code: 'spawn-failed' });
    await expect(start({ command: 'true', cwd: '/no/such' })).rejects.toThrow('/no/such, which does not exist');
    await expect(start({ command: 'true', output: '/no/such' })).rejects.toMatchObject({ code: 'spawn-failed' });
    expect(openEntries()).toEqual([]);
  });

  it('hands out each port once', async () => {
    const supervisor = await Supervisor.open();
    const ports = await Promise.all([supervisor.freePort(), supervisor.freePort(), supervisor.freePort()]);
    expect(new Set(ports).size).toBe(3);
    expect(openEntries()).toEqual(ports.map((port) => ({ kind: 'port', port })));
  });
});
