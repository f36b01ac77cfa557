import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import type { LedgerRecord, Thing } from './ledger-records.ts';
import type { ProcessIdentity } from './process-table.ts';

const suffix = '.ndjson';

/** The identity of a ledger is its file's name. */
export function ledgerId(name: string): string | undefined {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
}

export function ledgerPath(folder: string, id: string): string {
  return join(folder, `${id}${suffix}`);
}

/** Log file of the ledger's reaper. */
export function logPath(path: string): string {
  return `${path}.log`;
}

/**
 * A record on disk of what this process has started and must end: one line before something is created, one when it has
 * ended. Each is a single write to the end of the file, which survives the death of this process.
 */
export class Ledger {
  readonly id: string;
  readonly path: string;
  readonly #file: number;
  #entries = 0;
  #cut = false;
  #closed = false;

  constructor(folder: string, owner: ProcessIdentity) {
    this.id = `${owner.pid}-${randomBytes(6).toString('hex')}`;
    this.path = ledgerPath(folder, this.id);
    // A ledger appears with its first line or not at all.
    const fresh = join(folder, `.${this.id}`);
    this.#file = openSync(fresh, 'ax', 0o600);
    this.#write({ op: 'ledger', version: 1, id: this.id, owner });
    renameSync(fresh, this.path);
  }

  /** @returns the number of the entry @throws PetriError `state-directory` if it cannot be written */
  open(thing: Thing): number {
    const entry = this.#entries++;
    try {
      this.#write({ op: 'open', entry, thing });
    } catch (error) {
      throw new PetriError(`what is to be started cannot be recorded in ${this.path}: ${String(error)}`, {
        code: 'state-directory',
        step: 'launch',
        remedy: 'look at its file system (df), or let PETRI_STATE_DIR name another folder',
        cause: error,
      });
    }
    return entry;
  }

  seen(entry: number, process: ProcessIdentity): void {
    this.#add({ op: 'seen', entry, process });
  }

  end(entry: number): void {
    this.#add({ op: 'end', entry });
  }

  run(directory: string, runner: ProcessIdentity | undefined): void {
    this.#add({ op: 'run', directory, ...(runner === undefined ? {} : { runner }) });
  }

  reaper(reaper: ProcessIdentity): void {
    this.#add({ op: 'reaper', reaper });
  }

  /** Later calls record nothing. @param keep leaves the file to the reaper */
  close(keep: boolean): void {
    this.#closed = true;
    closeSync(this.#file);
    if (keep) return;
    rmSync(this.path, { force: true });
    rmSync(logPath(this.path), { force: true });
  }

  /** If this line is lost, a sweep looks for something that has ended, or finds a process by its token only. */
  #add(record: LedgerRecord): void {
    if (this.#closed) return;
    try {
      this.#write(record);
    } catch (error) {
      process.emitWarning(`${this.path} is not complete: ${String(error)}`, 'PetriWarning');
    }
  }

  #write(record: LedgerRecord): void {
    const line = Buffer.from(`${this.#cut ? '\n' : ''}${JSON.stringify(record)}\n`);
    const written = writeSync(this.#file, line);
    // A short write: the disk is full.
    this.#cut = written < line.length;
    if (this.#cut) throw new Error('the line was cut');
  }
}
