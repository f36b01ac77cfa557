import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Ledger } from './ledger.ts';
import { readLedger, type LedgerState } from './read-ledger.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();
const owner = { pid: 4711, start: '123' };
const model = { kind: 'process', name: 'FVP model', graceMs: 3000 } as const;

function state(path: string): LedgerState {
  const read = readLedger(path);
  if (read === undefined || 'unreadable' in read) throw new Error(`no ledger: ${JSON.stringify(read)}`);
  return read;
}

function write(name: string, ...lines: string[]): string {
  const path = join(home.folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const header = (id: string): string => JSON.stringify({ op: 'ledger', version: 1, id, owner });
const open = (entry: number, thing: unknown): string => JSON.stringify({ op: 'open', entry, thing });

describe('a ledger', () => {
  it('lists open entries, the owner and the reapers', () => {
    const ledger = new Ledger(home.folder, owner);
    ledger.run('/run', undefined);
    ledger.reaper({ pid: 4712, start: '124' });
    const first = ledger.open(model);
    const second = ledger.open({ kind: 'folder', path: '/tmp/petri-vm-x' });
    ledger.seen(first, { pid: 4713, start: '125' });
    ledger.end(second);
    expect(state(ledger.path)).toMatchObject({
      owner,
      run: { directory: '/run' },
      reapers: [{ pid: 4712 }],
      open: [{ entry: first, thing: model, seen: [{ pid: 4713, start: '125' }] }],
    });
    ledger.close(false);
    expect(readLedger(ledger.path)).toBeUndefined();
  });

  it('may be truncated anywhere and have foreign lines', () => {
    const path = write(
      '1-a.ndjson',
      header('1-a'),
      'garbage',
      '{"op":"open"}',
      '\0\uffff',
      open(0, model),
      open(1, { kind: 'folder', path: 'relative' }),
      open(2, { kind: 'container', runtime: 'docker', label: 'com.docker.project=theirs' }),
      open(3, { kind: 'container', runtime: 'docker; rm', label: 'petri-vm.run=1' }),
      open(4, { kind: 'slot', pool: '../..', ticket: 'x' }),
      JSON.stringify({ op: 'seen', entry: 0, process: { pid: 1, start: '1' } }),
      JSON.stringify({ op: 'seen', entry: 0, process: { pid: -1, start: '1' } }),
      JSON.stringify({ op: 'seen', entry: 9, process: { pid: 9, start: '1' } }),
      open(5, model).slice(0, 20),
    );
    expect(state(path).open).toEqual([{ entry: 0, thing: model, seen: [] }]);
    appendFileSync(path, `\n${open(6, model)}\n`);
    expect(state(path).open.map(({ entry }) => entry)).toEqual([0, 6]);
  });

  it('is rejected under another name, behind a link, as a folder or without its first line', () => {
    const path = write('2-b.ndjson', header('1-a'));
    expect(readLedger(path)).toEqual({ unreadable: 'it has the name of another ledger' });
    symlinkSync(path, join(home.folder, '3-c.ndjson'));
    expect(readLedger(join(home.folder, '3-c.ndjson'))).toHaveProperty('unreadable');
    mkdirSync(join(home.folder, '4-d.ndjson'));
    expect(readLedger(join(home.folder, '4-d.ndjson'))).toEqual({ unreadable: 'it is no ordinary file' });
    expect(readLedger(write('5-e.ndjson', open(0, model)))).toEqual({
      unreadable: 'it does not begin as a ledger does',
    });
    expect(readLedger(write('6-f.ndjson', ''))).toHaveProperty('unreadable');
  });
});
