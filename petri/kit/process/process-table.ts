import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';

/** A process and no later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever the system counts: only good for comparison. */
  readonly start: string;
}

/** A process that lives; a zombie does not. */
export interface ProcessRow extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** What the system says about processes. */
export interface ProcessTable {
  /** Those of all users. */
  list(): ProcessRow[];
  find(pid: number): ProcessRow | undefined;
  isOwn(pid: number): boolean;
  /**
   * Its variables as they were when its program started, NUL-separated; undefined where they cannot be read or are
   * empty.
   */
  environment(pid: number): string | undefined;
}

/** Of this system. Without /proc, as on macOS, nobody's environment can be read. */
export function systemProcessTable(): ProcessTable {
  return existsSync('/proc/self/stat') ? procTable : psTable;
}

export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.start === b.start;
}

export function isAlive(identity: ProcessIdentity, table: ProcessTable = systemProcessTable()): boolean {
  return table.find(identity.pid)?.start === identity.start;
}

/** @throws Error where the process has ended */
export function identityOf(pid: number, table: ProcessTable = systemProcessTable()): ProcessIdentity {
  const row = table.find(pid);
  if (row === undefined) throw new Error(`there is no process ${pid}`);
  return { pid: row.pid, start: row.start };
}

export const procTable: ProcessTable = {
  list() {
    return readdirSync('/proc').flatMap((name) => {
      const row = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
      return row === undefined ? [] : [row];
    });
  },
  find: readStat,
  isOwn(pid) {
    return ifThere(() => statSync(`/proc/${pid}`).uid) === process.getuid?.();
  },
  environment(pid) {
    const text = ifThere(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
    return text === '' ? undefined : text;
  },
};

/** proc_pid_stat(5). The command in parentheses may hold anything: what follows the last one counts. */
function readStat(pid: number): ProcessRow | undefined {
  const text = ifThere(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const start = fields[19];
  if (state === undefined || start === undefined || 'ZXx'.includes(state)) return undefined;
  return { pid, start, parent: Number(parent), group: Number(group), session: Number(session) };
}

export const psTable: ProcessTable = {
  list() {
    return askPs(['-A']).map(({ row }) => row);
  },
  find(pid) {
    return askPs(['-p', String(pid)])[0]?.row;
  },
  isOwn(pid) {
    return askPs(['-p', String(pid)])[0]?.uid === process.getuid?.();
  },
  environment: () => undefined,
};

/**
 * ps(1) as POSIX has it, and `lstart`, which Linux, macOS and the BSDs add. Its sessions are not comparable: groups
 * stand for them.
 */
function askPs(selection: readonly string[]): { row: ProcessRow; uid: number }[] {
  let text: string;
  try {
    text = execFileSync('ps', [...selection, '-o', 'pid=,ppid=,pgid=,uid=,state=,lstart='], {
      encoding: 'latin1',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    // It fails so when nothing was selected.
    if (error instanceof Error && 'status' in error && error.status === 1) return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line);
    const [, pid, parent, group, uid, state = 'Z', start = ''] = found ?? [];
    if (state.startsWith('Z')) return [];
    const row = { pid: Number(pid), start, parent: Number(parent), group: Number(group), session: Number(group) };
    return [{ row, uid: Number(uid) }];
  });
}

/** Undefined when the process has gone meanwhile or is not ours to look at. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
