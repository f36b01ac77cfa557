import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { ledgerId } from './ledger.ts';
import { ledgerRecord, type LedgerRecord, type Thing } from './ledger-records.ts';
import type { ProcessIdentity } from './process-table.ts';

/** The current state in a ledger. */
export interface LedgerState {
  readonly id: string;
  readonly path: string;
  readonly owner: ProcessIdentity;
  readonly run: { readonly directory: string; readonly runner?: ProcessIdentity | undefined } | undefined;
  readonly reapers: readonly ProcessIdentity[];
  readonly open: readonly LedgerEntry[];
}

export interface LedgerEntry {
  readonly entry: number;
  readonly thing: Thing;
  readonly seen: readonly ProcessIdentity[];
}

const maxBytes = 2 ** 26;

/**
 * Reads a ledger that others may have written to. Truncated and invalid lines are ignored.
 *
 * @returns undefined if there is no ledger under this path; the reason if there is something else
 */
export function readLedger(path: string): LedgerState | undefined | { readonly unreadable: string } {
  const text = readOwnFile(path);
  if (typeof text !== 'string') return text;
  const [header, ...records] = text.split('\n').flatMap(parseLine);
  if (header?.op !== 'ledger') return { unreadable: 'it does not begin as a ledger does' };
  if (header.id !== ledgerId(basename(path))) return { unreadable: 'it has the name of another ledger' };
  return { id: header.id, path, owner: header.owner, ...replay(records) };
}

function replay(records: readonly LedgerRecord[]): Pick<LedgerState, 'run' | 'reapers' | 'open'> {
  let run: LedgerState['run'];
  let reapers: ProcessIdentity[] = [];
  const open = new Map<number, { entry: number; thing: Thing; seen: ProcessIdentity[] }>();
  for (const record of records) {
    switch (record.op) {
      case 'run':
        run = { directory: record.directory, runner: record.runner };
        break;
      case 'reaper':
        reapers.push(record.reaper);
        break;
      case 'reaper-gone':
        reapers = reapers.filter(({ pid, start }) => pid !== record.reaper.pid || start !== record.reaper.start);
        break;
      case 'open':
        open.set(record.entry, { entry: record.entry, thing: record.thing, seen: [] });
        break;
      case 'seen':
        open.get(record.entry)?.seen.push(record.process);
        break;
      case 'end':
        open.delete(record.entry);
        break;
      case 'ledger':
        break;
    }
  }
  return { run, reapers, open: [...open.values()] };
}

function parseLine(line: string): LedgerRecord[] {
  if (line === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  const parsed = ledgerRecord.safeParse(value);
  return parsed.success ? [parsed.data] : [];
}

function readOwnFile(path: string): string | undefined | { readonly unreadable: string } {
  let file: number;
  try {
    // For a pipe, opening would wait for a writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return code === 'ENOENT' ? undefined : { unreadable: `it cannot be opened (${code})` };
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile()) return { unreadable: 'it is no ordinary file' };
    if (process.getuid !== undefined && found.uid !== process.getuid())
      return { unreadable: 'it belongs to somebody else' };
    if (found.size > maxBytes) return { unreadable: 'it is too large' };
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
