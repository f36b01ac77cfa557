import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { PetriError } from '../errors.ts';

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
 * `$PETRI_STATE_DIR`, else `petri-vm` in `$XDG_STATE_HOME` or ~/.local/state. In it each machine has a folder of its own, since home
 * folders are shared between machines and containers.
 */
export function stateDirectory(): string {
  const { PETRI_STATE_DIR: own, XDG_STATE_HOME: xdg } = process.env;
  if (own !== undefined && own !== '') {
    if (isAbsolute(own)) return own;
    throw new PetriError(`PETRI_STATE_DIR is not an absolute path: ${own}`, {
      code: 'state-directory',
      step: 'options',
      remedy: 'give it the absolute path of a folder of your own',
    });
  }
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'state'), 'petri-vm');
}

export function machinesFolder(): string {
  return join(stateDirectory(), 'machines');
}

export const machineFile = 'machine.json';

export function stateFolders(): StateFolders {
  const machine = thisMachine();
  const root = join(machinesFolder(), machineKey(machine));
  const folders = { root, ledgers: join(root, 'ledgers'), slots: join(root, 'slots') };
  for (const path of [stateDirectory(), root, folders.ledgers, folders.slots]) makePrivateFolder(path);
  try {
    writeFileSync(join(root, machineFile), JSON.stringify(machine), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw unusable(root, error);
  }
  return folders;
}

/** A folder that only we can write to: what is in it decides what is ended. */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    if (!found.isDirectory()) throw new Error('it is no folder');
    if (process.getuid !== undefined && found.uid !== process.getuid())
      throw new Error(`it belongs to user ${found.uid}`);
    if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): PetriError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PetriError(`the folder that says what runs cannot be used: ${path}: ${why}`, {
    code: 'state-directory',
    step: 'launch',
    remedy: 'make it writable, or let PETRI_STATE_DIR name a folder of your own',
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

/** Where the boot is not known, as on macOS, the host's name has to do: numbers and starts of processes still tell one from another. */
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
