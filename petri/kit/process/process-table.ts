import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';

/** Identifies a process, as opposed to a later one with the same PID. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in a unit of the system: only for comparison. */
  readonly start: string;
}

/** A living process, not a zombie. */
export interface ProcessRow extends ProcessIdentity {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** The system's information about processes. */
export interface ProcessTable {
  /** Processes of all users. */
  list(): ProcessRow[];
  find(pid: number): ProcessRow | undefined;
  isOwn(pid: number): boolean;
  /** Its environment when its program started, NUL-separated; undefined if it cannot be read or is empty. */
  environment(pid: number): string | undefined;
}

/** The table of this system. Without /proc, as on macOS, no environment can be read. */
export function systemProcessTable(): ProcessTable {
  return existsSync('/proc/self/stat') ? procTable : psTable;
}

export function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.start === b.start;
}

export function isAlive(identity: ProcessIdentity, table: ProcessTable = systemProcessTable()): boolean {
  return table.find(identity.pid)?.start === identity.start;
}

/** @throws Error if the process has ended */
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

/** Parses proc_pid_stat(5). The command in parentheses may contain anything: the last parenthesis counts. */
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
 * Runs ps(1) as in POSIX, with `lstart`, which Linux, macOS and the BSDs add. Its sessions are not comparable, so
 * process groups are used instead.
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
    // ps fails like this if nothing was selected.
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

/** Undefined if the process has ended meanwhile or may not be inspected. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}
