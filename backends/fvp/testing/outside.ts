import { readdirSync, readFileSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

import { REAPER_VARIABLE } from '../../../petri/kit/process/testing.ts';

/** Environment variable whose value identifies the processes of one case. */
export const MARK = 'PETRI_TEST_MARK';

/** What exists of a case, seen from outside. */
export interface Traces {
  /** `pid command line`. Open ports belong to one of them. */
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

export const nothing: Traces = { processes: [], files: [] };

/** @param folders that should have no files, except those that identify the machine */
export function tracesOf(mark: string, folders: readonly string[]): Traces {
  return {
    processes: processesOf(mark).map(({ pid, command }) => `${pid} ${command}`),
    files: folders.flatMap(filesIn).filter((path) => !path.endsWith('/machine.json')),
  };
}

/** Processes that inherited the mark. */
export function processesOf(mark: string): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
      if (!environment.includes(`${MARK}=${mark}`)) return [];
      // A zombie has no command line.
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const isReaper = environment.some((variable) => variable.startsWith(`${REAPER_VARIABLE}=`));
      return command === ''
        ? []
        : [{ pid: Number(name), command: `${isReaper ? 'reaper: ' : ''}${command}`.slice(0, 100) }];
    } catch {
      // It has ended meanwhile, or belongs to another user.
      return [];
    }
  });
}

/** Ends what a failed test left behind. Some of it starts other processes. */
export function endAll(marks: readonly string[]): void {
  for (let round = 0; round < 50; round++) {
    const left = marks.flatMap(processesOf);
    if (left.length === 0) return;
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** Files, and empty folders with temporary names. */
function filesIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return [...(entry.name.startsWith('petri-vm-') ? [path] : []), ...filesIn(path)];
  });
}
