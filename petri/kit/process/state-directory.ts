import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { makeFallbackRoot, makePrivate, stateHome, stateVariable } from '../../homes/index.ts';

/** What numbers of processes mean something in: one boot of one machine, and in it one namespace of processes. */
export interface Machine {
  readonly host: string;
  /** machine-id(5), which stays the same over boots. */
  readonly id: string;
  readonly boot: string;
  readonly processes: string;
}

/** Where ledgers and slots are, by default of this machine. The folders exist. @throws PetriError `state-directory` */
export interface StateFolders {
  readonly root: string;
  readonly ledgers: string;
  readonly slots: string;
}

/**
 * In the state directory each machine has a folder of its own: home folders are shared between machines and containers.
 */
export function machinesFolder(): string {
  return join(stateHome().path, 'machines');
}

export const machineFile = 'machine.json';

/** Makes them. */
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

/** Where ledgers would be; nothing is made. @throws PetriError as `stateHome` */
export function ledgersFolder(): string {
  return foldersOf(thisMachine()).ledgers;
}

function foldersOf(machine: Machine): StateFolders {
  const root = join(machinesFolder(), machineKey(machine));
  return { root, ledgers: join(root, 'ledgers'), slots: join(root, 'slots') };
}

/** A folder that only we can write to: what is in it decides what is ended. */
export function makePrivateFolder(path: string): void {
  try {
    makePrivate(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): PetriError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PetriError(`the folder that says what runs cannot be used: ${path}: ${why}`, {
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
 * Where the boot is not known, as on macOS, the host's name has to do: numbers and starts of processes still
 * distinguish them.
 */
function machineKey(machine: Machine): string {
  const known = machine.boot === '' ? machine.host : machine.boot;
  return createHash('sha256').update(`${known}\n${machine.processes}`).digest('hex').slice(0, 16);
}

function orEmpty(read: () => string): string {
  try {
    return read().trim();
  } catch {
    // Not on every system.
    return '';
  }
}
