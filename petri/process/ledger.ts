import { randomBytes } from 'node:crypto';
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

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

/** What the ledger's reaper complains of. */
export function logPath(path: string): string {
  return `${path}.log`;
}

/**
 * What this process has started and must be ended with it, on disk: a line before a thing is made, a line when it is gone. Each is one
 * write to the end of the file, which the system keeps when this process dies.
 */
export class Ledger {
  readonly id: string;
  readonly path: string;
  readonly #file: number;
  #entries = 0;

  constructor(folder: string, owner: ProcessIdentity) {
    this.id = `${owner.pid}-${randomBytes(6).toString('hex')}`;
    this.path = ledgerPath(folder, this.id);
    // A ledger is there with its first line or not at all.
    const fresh = join(folder, `.${this.id}`);
    this.#file = openSync(fresh, 'ax', 0o600);
    this.#write({ op: 'ledger', version: 1, id: this.id, owner });
    renameSync(fresh, this.path);
  }

  /** @returns the number of the entry */
  open(thing: Thing): number {
    const entry = this.#entries++;
    this.#write({ op: 'open', entry, thing });
    return entry;
  }

  seen(entry: number, process: ProcessIdentity): void {
    this.#write({ op: 'seen', entry, process });
  }

  end(entry: number): void {
    this.#write({ op: 'end', entry });
  }

  run(directory: string, runner: ProcessIdentity | undefined): void {
    this.#write({ op: 'run', directory, ...(runner === undefined ? {} : { runner }) });
  }

  reaper(reaper: ProcessIdentity): void {
    this.#write({ op: 'reaper', reaper });
  }

  /** @param keep leaves the file to the reaper */
  close(keep: boolean): void {
    closeSync(this.#file);
    if (keep) return;
    rmSync(this.path, { force: true });
    rmSync(logPath(this.path), { force: true });
  }

  #write(record: LedgerRecord): void {
    writeSync(this.#file, `${JSON.stringify(record)}\n`);
  }
}
