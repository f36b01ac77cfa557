import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, describe, expect, it } from 'vitest';

import { identityOf, isAlive, procTable, type ProcessIdentity, systemProcessTable } from './process-table.ts';
import { readLedger } from './read-ledger.ts';
import { machineFile, machinesFolder, stateFolders, thisMachine } from './state-directory.ts';
import { Supervisor } from './supervisor.ts';
import { sweep, waitForRun } from './sweep.ts';
import { makeTemporaryFolder, temporaryName } from './temporary-folder.ts';
import { endsWithUs } from '../../unit-test/ends-with-us.ts';
import { until } from '../../unit-test/until.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();
const script = fileURLToPath(new URL('fixtures/leaver.mjs', import.meta.url));

const owners: ChildProcess[] = [];

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  await Supervisor.current()?.close();
});

interface Leaver {
  readonly owner: ChildProcess;
  readonly process: ProcessIdentity;
  readonly folder: string;
  readonly ledger: string;
}

async function leaver(): Promise<Leaver> {
  const owner = spawn(process.execPath, [...endsWithUs, script], { stdio: ['pipe', 'pipe', 'inherit'] });
  owners.push(owner);
  const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
  const left = JSON.parse(line) as { process: number; folder: string };
  const { ledgers } = stateFolders();
  const name = readdirSync(ledgers).find((file) => file.startsWith(`${owner.pid ?? 0}-`) && file.endsWith('.ndjson'));
  return { owner, process: identityOf(left.process), folder: left.folder, ledger: join(ledgers, name ?? 'none') };
}

/** Kills the owner and its reaper, the reaper first, while the owner cannot start another. */
async function crash({ owner, ledger }: Leaver): Promise<void> {
  const state = readLedger(ledger);
  if (state === undefined || 'unreadable' in state) throw new Error('no ledger');
  owner.kill('SIGSTOP');
  const ended = once(owner, 'exit');
  for (const { pid } of state.reapers) process.kill(pid, 'SIGKILL');
  owner.kill('SIGKILL');
  await ended;
  // It is a zombie until it is waited for.
  await until(() => !state.reapers.some((reaper) => isAlive(reaper)));
}

describe('a sweep', () => {
  it('ends what a crash left when the reaper died too, and leaves living runs alone', async () => {
    const dead = await leaver();
    const living = await leaver();
    await crash(dead);
    expect(isAlive(dead.process)).toBe(true);

    const report = await sweep();
    expect(report.swept).toEqual([
      {
        ledger: dead.ledger,
        ended: ["1 process of 'left behind'", `folder ${dead.folder}`, "place in 'left'"],
        left: [],
      },
    ]);
    expect(report.inUse).toMatchObject([{ ledger: living.ledger, pid: living.owner.pid }]);
    expect(isAlive(dead.process)).toBe(false);
    expect(existsSync(dead.folder)).toBe(false);
    expect(existsSync(dead.ledger)).toBe(false);

    expect(isAlive(living.process)).toBe(true);
    expect(existsSync(living.folder)).toBe(true);
    // Now its reaper ends it.
    living.owner.kill('SIGKILL');
    await expect.poll(() => existsSync(living.ledger)).toBe(false);
    expect(isAlive(living.process)).toBe(false);
    expect(readdirSync(stateFolders().ledgers)).toEqual([]);
  });

  it('happens when a supervisor opens', async () => {
    const dead = await leaver();
    await crash(dead);
    await Supervisor.open();
    expect(isAlive(dead.process)).toBe(false);
    expect(existsSync(dead.folder)).toBe(false);
  });

  it('keeps a ledger of which something is left, and reports it', async () => {
    const path = join(stateFolders().ledgers, '2-abc.ndjson');
    const precious = join(home.folder, 'petri-vm-precious');
    mkdirSync(precious);
    const records = [
      { op: 'ledger', version: 1, id: '2-abc', owner: { pid: 2 ** 22 + 1, start: '1' } },
      { op: 'run', directory: '/run' },
      { op: 'open', entry: 0, thing: { kind: 'folder', path: precious } },
    ];
    writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'));
    const [swept] = (await sweep()).swept;
    expect(swept).toMatchObject({ ledger: path, ended: [], left: [expect.stringContaining(precious)] });
    expect(existsSync(precious)).toBe(true);
    expect(await waitForRun('/run', 0)).toEqual([`of process ${2 ** 22 + 1}: ${precious}`]);
    expect(await waitForRun('/other', 0)).toEqual([]);
    writeFileSync(path, 'garbage');
    expect((await sweep()).unreadable).toEqual([{ path, why: 'it does not begin as a ledger does' }]);
    rmSync(path);
  });

  it('removes what an earlier boot of this machine left on disk, and not what belongs to other machines', async () => {
    const here = thisMachine();
    const folder = temporaryName('boot');
    makeTemporaryFolder(folder);
    const records = [
      { op: 'ledger', version: 1, id: '2-abc', owner: identityOf(process.pid) },
      { op: 'open', entry: 0, thing: { kind: 'folder', path: folder } },
      // From another boot: these PIDs now belong to other processes.
      { op: 'open', entry: 1, thing: { kind: 'process', name: 'x', graceMs: 0 } },
      { op: 'seen', entry: 1, process: identityOf(process.ppid) },
    ];
    const make = (name: string, machine: object): string => {
      const root = join(machinesFolder(), name);
      mkdirSync(join(root, 'ledgers'), { recursive: true });
      writeFileSync(join(root, machineFile), JSON.stringify(machine));
      writeFileSync(join(root, 'ledgers', '2-abc.ndjson'), records.map((record) => JSON.stringify(record)).join('\n'));
      return root;
    };
    const earlier = make('earlier', { ...here, id: here.id === '' ? 'x' : here.id, boot: 'earlier' });
    const another = make('another', { ...here, id: 'another', boot: 'another' });
    await sweep();
    expect(existsSync(another)).toBe(true);
    // Without a machine-id(5) machines cannot be told apart.
    expect(existsSync(earlier)).toBe(here.id === '');
    expect(existsSync(folder)).toBe(here.id === '');
    expect(systemProcessTable().find(process.ppid)).toBeDefined();
  });
});

it.runIf(systemProcessTable() === procTable)(
  'a reaper whose ledger was removed ends what bears its token',
  async () => {
    const left = await leaver();
    rmSync(left.ledger);
    expect(isAlive(left.process)).toBe(true);
    left.owner.kill('SIGKILL');
    await until(() => !isAlive(left.process));
  },
);

describe('petri sweep', () => {
  const petri = fileURLToPath(new URL('../../../bin/petri.mjs', import.meta.url));
  const run = promisify(execFile);

  it('reports what it ended and what is alive', async () => {
    const dead = await leaver();
    await crash(dead);
    const { stdout } = await run(process.execPath, [petri, 'sweep']);
    expect(stdout).toContain("ended 1 process of 'left behind'");
    expect(stdout).toContain(dead.folder);
    expect(isAlive(dead.process)).toBe(false);
    expect((await run(process.execPath, [petri, 'sweep'])).stdout).toBe('nothing was left behind\n');
  });

  it('prints JSON', async () => {
    const { stdout } = await run(process.execPath, [petri, 'sweep', '--json']);
    expect(JSON.parse(stdout)).toEqual({ swept: [], inUse: [], unreadable: [] });
  });
});
