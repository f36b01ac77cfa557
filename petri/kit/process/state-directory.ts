import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { makeFallbackRoot, makePrivate, stateHome, stateVariable } from '../../homes/index.ts';

/** The scope in which PIDs are unique: one boot of one machine, and one PID namespace. */
export interface Machine {
  readonly host: string;
  /** machine-id(5), which persists across boots. */
  readonly id: string;
  readonly boot: string;
  readonly processes: string;
}

/** Folders of ledgers and slots, by default of this machine. They exist. @throws PetriError `state-directory` */
export interface StateFolders {
  readonly root: string;
  readonly ledgers: string;
  readonly slots: string;
}

/** Each machine has a folder in the state directory, since machines and containers may share a home folder. */
export function machinesFolder(): string {
  return join(stateHome().path, 'machines');
}

export const machineFile = 'machine.json';

/** Creates the folders. */
export function stateFolders(): StateFolders {
  const machine = thisMachine();
  const { path } = stateHome();
  const folders = foldersOf(machine);
  makeFallbackRoot(path);
  for (const folder of [path, folders.root, folders.ledgers, folders.slots]) makePrivateFolder(folder);
  try {
    writeFileSync(join(folders.root, machineFile), JSON.stringify(machine), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw unusable(folders.root, error);
  }
  return folders;
}

/** The folder of ledgers, which is not created. @throws PetriError as `stateHome` */
export function ledgersFolder(): string {
  return foldersOf(thisMachine()).ledgers;
}

function foldersOf(machine: Machine): StateFolders {
  const root = join(machinesFolder(), machineKey(machine));
  return { root, ledgers: join(root, 'ledgers'), slots: join(root, 'slots') };
}

/** Creates a folder that only we can write to: its content decides which processes are ended. */
export function makePrivateFolder(path: string): void {
  try {
    makePrivate(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): PetriError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PetriError(`the state directory cannot be used: ${path}: ${why}`, {
    code: 'state-directory',
    step: 'launch',
    remedy: `make it writable, or let ${stateVariable} name a folder of your own`,
    cause,
  });
}

export function thisMachine(): Machine {
  return {
    host: hostname(),
    id: orEmpty(() => readFileSync('/etc/machine-id', 'utf8')),
    boot: orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    processes: orEmpty(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/**
 * If the boot id is unknown, as on macOS, the host's name is used: PIDs and start times still distinguish processes.
 */
function machineKey(machine: Machine): string {
  const known = machine.boot === '' ? machine.host : machine.boot;
  return createHash('sha256').update(`${known}\n${machine.processes}`).digest('hex').slice(0, 16);
}

function orEmpty(read: () => string): string {
  try {
    return read().trim();
  } catch {
    // Not available on every system.
    return '';
  }
}
