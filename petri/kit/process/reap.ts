import { appendFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { basename, dirname, join } from 'node:path';

import { endContainers } from './containers.ts';
import { defaultGraceMs, endProcesses, findProcesses, type ProcessClaim } from './end-processes.ts';
import type { LedgerRecord } from './ledger-records.ts';
import { ledgerId, logPath } from './ledger.ts';
import { identityOf, type ProcessIdentity } from './process-table.ts';
import { type LedgerEntry, type LedgerState, readLedger } from './read-ledger.ts';
import { leavePlace } from './slots.ts';
import { removeTemporaryFolder } from './temporary-folder.ts';
import { ledgerToken } from './token.ts';

/** What was found in a ledger and ended, and what could not be ended, as parts of sentences. */
export interface ReapReport {
  readonly ledger: string;
  readonly ended: readonly string[];
  readonly left: readonly string[];
}

export interface ReapOptions {
  /** False after a reboot, which ended the processes and reused their PIDs. */
  readonly processes: boolean;
}

/** Time for a process that was forked by an owner that died meanwhile to get its environment. */
const birthMs = 300;

/**
 * Ends everything that is open in a ledger whose owner has died, then removes the ledger. May run twice at the same
 * time.
 */
export async function reap(path: string, options: ReapOptions = { processes: true }): Promise<ReapReport> {
  const state = readLedger(path);
  if (state === undefined) return { ledger: path, ended: [], left: [] };
  if ('unreadable' in state) return { ledger: path, ended: [], left: [`ledger ${path}: ${state.unreadable}`] };
  // So that others leave the ledger to us.
  claim(path, 'reaper');
  const ended: string[] = [];
  const left: string[] = [];
  const attempt = async (end: () => Promise<void>): Promise<void> => {
    try {
      await end();
    } catch (error) {
      left.push(error instanceof Error ? error.message : String(error));
    }
  };
  if (options.processes) await attempt(() => endAllProcesses(state, ended, left));
  // Processes first: a slot must stay taken until the model that uses it has ended.
  for (const kind of ['container', 'folder', 'port', 'slot'] as const) {
    for (const { thing } of state.open) {
      if (thing.kind !== kind || (kind === 'slot' && left.length > 0)) continue;
      await attempt(async () => {
        ended.push(...(await endThing(state, thing)));
      });
    }
  }
  if (left.length > 0) {
    claim(path, 'reaper-gone');
  } else {
    rmSync(logPath(path), { force: true });
    rmSync(path, { force: true });
  }
  return { ledger: path, ended, left };
}

/**
 * Ends the processes of a ledger that somebody removed while its owner lived, as a cleaner of temporary folders does.
 * They bear its token; nothing is known of folders, containers and places.
 *
 * @param owner whose ledger it was
 */
export async function reapRemoved(path: string, owner: ProcessIdentity): Promise<ReapReport> {
  const id = ledgerId(basename(path));
  if (id === undefined) return { ledger: path, ended: [], left: [] };
  const find = () => findProcesses({ token: ledgerToken(id), known: [], after: owner });
  const found = find();
  await endProcesses(find, defaultGraceMs);
  await sleep(birthMs);
  const survivors = await endProcesses(find, defaultGraceMs);
  return {
    ledger: path,
    ended: found.length > 0 ? [`${plural(found.length, 'process', 'processes')} of a ledger that was removed`] : [],
    left: survivors.length > 0 ? [outlived(survivors)] : [],
  };
}

function claim(path: string, op: 'reaper' | 'reaper-gone'): void {
  const record: LedgerRecord = { op, reaper: identityOf(process.pid) };
  // The owner's last line may be truncated.
  appendFileSync(path, `\n${JSON.stringify(record)}\n`);
}

async function endAllProcesses(state: LedgerState, ended: string[], left: string[]): Promise<void> {
  const entries = state.open.flatMap(({ thing, seen }) => (thing.kind === 'process' ? [{ thing, seen }] : []));
  if (entries.length === 0) return;
  const known = entries.flatMap(({ seen }) => seen);
  const claim: ProcessClaim = { token: ledgerToken(state.id), known, after: state.owner };
  const graceMs = Math.max(...entries.map(({ thing }) => thing.graceMs));
  const find = () => findProcesses(claim);
  const found = find();
  let survivors = await endProcesses(find, graceMs);
  if (entries.some(({ seen }) => seen.length === 0)) {
    await sleep(birthMs);
    survivors = await endProcesses(find, graceMs);
  }
  if (found.length > 0) ended.push(`${plural(found.length, 'process', 'processes')} of ${names(entries)}`);
  if (survivors.length > 0) left.push(outlived(survivors));
}

function outlived(survivors: readonly number[]): string {
  return `process ${survivors.join(', ')} still exists after SIGKILL`;
}

function names(entries: readonly { thing: { name: string } }[]): string {
  return [...new Set(entries.map(({ thing }) => `'${thing.name}'`))].join(', ');
}

function plural(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}

/** @returns descriptions of what was ended */
async function endThing(state: LedgerState, thing: LedgerEntry['thing']): Promise<string[]> {
  switch (thing.kind) {
    case 'container':
      await endContainers(thing.runtime, thing.label);
      return [`containers of ${thing.runtime} with label ${thing.label}`];
    case 'folder':
      await removeTemporaryFolder(thing.path);
      return [`folder ${thing.path}`];
    case 'slot':
      leavePlace(join(dirname(dirname(state.path)), 'slots', thing.pool), thing.ticket);
      return [`place in '${thing.pool}'`];
    case 'port':
    case 'process':
      return [];
  }
}
