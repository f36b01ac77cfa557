import { setTimeout as sleep } from 'node:timers/promises';

import {
  isSame,
  type ProcessIdentity,
  type ProcessRow,
  type ProcessTable,
  systemProcessTable,
} from './process-table.ts';
import { bears, isReaper } from './token.ts';

/** Milliseconds from SIGTERM to SIGKILL, where nothing else is asked for. */
export const defaultGraceMs = 3000;

/** What identifies the processes of one entry, or of a whole ledger. */
export interface ProcessClaim {
  readonly token: string;
  /** Processes that are known to be ours. */
  readonly known: readonly ProcessIdentity[];
  /** A child of this process that has not been waited for, so that its PID cannot have been reused. */
  readonly child?: ProcessIdentity | undefined;
  /** A process that started before all of them: older ones need not be checked. */
  readonly after?: ProcessIdentity | undefined;
}

/**
 * The living processes of a claim: those with its token; those with a known PID and start time, unless their
 * environment lacks the token; then all in the session of one of these (each was started in a session of its own), and
 * all descendants. Never a process of another user, this process or one of its ancestors.
 */
export function findProcesses(claim: ProcessClaim, table: ProcessTable = systemProcessTable()): ProcessRow[] {
  const rows = table.list();
  const taboo = ancestors(rows);
  const own = rows.find((row) => row.pid === process.pid);
  const isLater = laterThan(claim.after);
  const candidates = rows.filter(
    (row) => row.pid > 1 && !taboo.has(row.pid) && row.session !== own?.session && isLater(row),
  );
  const found = new Map<number, ProcessRow>();
  const add = (row: ProcessRow): void => {
    if (table.isOwn(row.pid)) found.set(row.pid, row);
  };

  for (const row of candidates) {
    // A process that has become another user's cannot be ended, which is reported.
    if (claim.child !== undefined && isSame(claim.child, row)) found.set(row.pid, row);
    else if (isMarked(row, claim, table)) add(row);
  }
  let before: number;
  do {
    before = found.size;
    const sessions = new Set([...found.values()].map((row) => row.session));
    for (const row of candidates) {
      if (found.has(row.pid) || !(sessions.has(row.session) || found.has(row.parent))) continue;
      if (!isReaper(table.environment(row.pid))) add(row);
    }
  } while (found.size > before);
  return [...found.values()];
}

/** Start times of /proc are ticks since the boot; those of ps cannot be compared. */
function laterThan(after: ProcessIdentity | undefined): (row: ProcessRow) => boolean {
  const since = after !== undefined && /^\d+$/.test(after.start) ? Number(after.start) : 0;
  return since === 0 ? () => true : (row) => Number(row.start) >= since;
}

function isMarked(row: ProcessRow, claim: ProcessClaim, table: ProcessTable): boolean {
  const environment = table.environment(row.pid);
  if (environment === undefined) return claim.known.some((known) => isSame(known, row));
  return bears(environment, claim.token);
}

function ancestors(rows: readonly ProcessRow[]): Set<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parent]));
  const result = new Set<number>();
  for (let pid: number | undefined = process.pid; pid !== undefined && !result.has(pid); pid = parents.get(pid)) {
    result.add(pid);
  }
  return result;
}

const killMs = 5000;

/**
 * Sends SIGTERM to all that `find` returns, and SIGKILL to what remains after the grace period. Repeats `find`, since
 * processes may fork meanwhile.
 *
 * @param hurry ends the grace period
 * @returns the PIDs that remain nevertheless
 */
export async function endProcesses(find: () => ProcessRow[], graceMs: number, hurry?: AbortSignal): Promise<number[]> {
  const warned = new Set<number>();
  const warn = (rows: readonly ProcessRow[]): void => {
    const fresh = rows.filter((row) => !warned.has(row.pid));
    for (const row of fresh) warned.add(row.pid);
    signal(fresh, 'SIGTERM');
  };
  if (graceMs > 0 && (await untilNone(find, warn, graceMs, hurry)).length === 0) return [];
  const survivors = await untilNone(find, (rows) => signal(rows, 'SIGKILL'), killMs);
  return survivors.map((row) => row.pid);
}

async function untilNone(
  find: () => ProcessRow[],
  act: (rows: readonly ProcessRow[]) => void,
  milliseconds: number,
  hurry?: AbortSignal,
): Promise<ProcessRow[]> {
  const deadline = performance.now() + milliseconds;
  for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
    const rows = find();
    if (rows.length === 0 || performance.now() >= deadline || hurry?.aborted === true) return rows;
    act(rows);
    await sleep(Math.min(pause, deadline - performance.now() + 1));
  }
}

/** Signals whole groups at once, so that no member can fork away in between. */
function signal(rows: readonly ProcessRow[], name: 'SIGTERM' | 'SIGKILL'): void {
  for (const group of new Set(rows.map((row) => row.group))) {
    if (group > 1) send(-group, name);
  }
}

function send(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // Ended, or changed its user, meanwhile: the next look shows it.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
