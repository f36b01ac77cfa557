import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { ledgerId } from './ledger.ts';
import { isAlive, systemProcessTable } from './process-table.ts';
import { type LedgerState, readLedger } from './read-ledger.ts';
import { reap, type ReapReport } from './reap.ts';
import { ledgersFolder, machineFile, machinesFolder, stateFolders, thisMachine } from './state-directory.ts';

/** The result of a sweep. */
export interface SweepReport {
  /** Ledgers whose owner and reaper had both died, and what was ended for each. */
  readonly swept: readonly ReapReport[];
  /** Ledgers of living processes and of reapers at work, which are left alone. */
  readonly inUse: readonly { readonly ledger: string; readonly pid: number; readonly run: string | undefined }[];
  /** Files in the folder that are not ledgers. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Ends what crashed runs left behind on this machine, by their ledgers. Living runs are not touched.
 *
 * @throws PetriError `state-directory`
 */
export async function sweep(): Promise<SweepReport> {
  const { ledgers } = stateFolders();
  const swept = await sweepEarlierBoots();
  const inUse: SweepReport['inUse'][number][] = [];
  const unreadable: SweepReport['unreadable'][number][] = [];
  for (const path of ledgersIn(ledgers)) {
    const state = readLedger(path);
    if (state === undefined) continue;
    if ('unreadable' in state) unreadable.push({ path, why: state.unreadable });
    else if (isCaredFor(state)) inUse.push({ ledger: path, pid: state.owner.pid, run: state.run?.directory });
    else swept.push(await reap(path));
  }
  removeCrumbs(ledgers);
  return { swept, inUse, unreadable };
}

/** Removes unfinished ledgers, whose owner died while writing the first line, and logs without a ledger. */
function removeCrumbs(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, owner] = /^\.(\d+)-[0-9a-f]+$/.exec(name) ?? [];
    const unfinished = owner !== undefined && systemProcessTable().find(Number(owner)) === undefined;
    const orphan = name.endsWith('.log') && !existsSync(join(folder, name.slice(0, -'.log'.length)));
    if (unfinished || orphan) rmSync(join(folder, name), { force: true });
  }
}

function isCaredFor({ owner, reapers }: LedgerState): boolean {
  return isAlive(owner) || reapers.some((reaper) => isAlive(reaper));
}

function ledgersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => ledgerId(name) !== undefined)
    .map((name) => join(folder, name));
}

const machineSchema = z.object({ host: z.string(), id: z.string(), boot: z.string(), processes: z.string() });

/**
 * A reboot ended the processes, but left files on disk. Folders of other machines, which share our home, are skipped.
 */
async function sweepEarlierBoots(): Promise<ReapReport[]> {
  const here = thisMachine();
  const reports: ReapReport[] = [];
  for (const name of readdirSync(machinesFolder())) {
    const root = join(machinesFolder(), name);
    const machine = readMachine(root);
    if (machine === undefined || here.id === '' || machine.boot === here.boot) continue;
    if (machine.host !== here.host || machine.id !== here.id) continue;
    for (const path of ledgersIn(join(root, 'ledgers'))) reports.push(await reap(path, { processes: false }));
    if (reports.every(({ left }) => left.length === 0)) rmSync(root, { recursive: true, force: true });
  }
  return reports;
}

function readMachine(root: string): z.infer<typeof machineSchema> | undefined {
  try {
    return machineSchema.safeParse(JSON.parse(readFileSync(join(root, machineFile), 'utf8'))).data;
  } catch {
    // Incomplete, or not ours: nothing to do.
    return undefined;
  }
}

/**
 * Waits until everything of a run has ended: its workers may end before what they started. Takes over from reapers that
 * died.
 *
 * @param runDirectory as given to `belongsTo`
 * @returns what remains at the time-out, as parts of sentences; empty if nothing does
 * @throws PetriError `state-directory`
 */
export async function waitForRun(runDirectory: string, timeoutMs: number): Promise<readonly string[]> {
  // Nothing was ever started: runs in the simulator neither need nor create a state directory.
  if (!existsSync(ledgersFolder())) return [];
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = ledgersIn(stateFolders().ledgers).flatMap((path) => {
      const state = readLedger(path);
      return state !== undefined && !('unreadable' in state) && isOfRun(state, runDirectory) ? [state] : [];
    });
    if (left.length === 0) return [];
    if (performance.now() >= deadline) return left.map(describe);
    if (left.some((state) => !isCaredFor(state))) await sweep();
    await sleep(50);
  }
}

/** Whether a ledger belongs to the run, except that of this process, which is still open. */
function isOfRun({ run, owner }: LedgerState, directory: string): boolean {
  return run?.directory === directory && owner.pid !== process.pid;
}

function describe({ owner, open }: LedgerState): string {
  const things = open.map(({ thing }) => {
    switch (thing.kind) {
      case 'process':
        return `'${thing.name}'`;
      case 'folder':
        return thing.path;
      case 'container':
        return `containers with label ${thing.label}`;
      case 'slot':
        return `a place in '${thing.pool}'`;
      case 'port':
        return `port ${thing.port}`;
    }
  });
  return `of process ${owner.pid}: ${things.length === 0 ? 'nothing but its ledger' : things.join(', ')}`;
}
