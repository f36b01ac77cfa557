import { describe, expect, it } from 'vitest';

import { findProcesses } from './end-processes.ts';
import {
  identityOf,
  procTable,
  type ProcessRow,
  type ProcessTable,
  psTable,
  systemProcessTable,
} from './process-table.ts';
import { bears, entryToken, ledgerToken } from './token.ts';

const token = ledgerToken('77-ab');
const marked = `A=1\0PETRI_SUPERVISED=${entryToken('77-ab', 3)}\0`;

interface Fake extends Partial<ProcessRow> {
  readonly pid: number;
  readonly environment?: string;
  readonly foreign?: boolean;
}

/** This process is in session 1000, as is everything in its terminal. */
function table(...fakes: Fake[]): ProcessTable {
  const self: Fake = { pid: process.pid, parent: process.ppid, session: 1000 };
  const all = [self, { pid: process.ppid, parent: 1, session: 1000 }, ...fakes];
  return {
    list: () =>
      all.map(({ pid, start = '500', parent = 1, session = pid, group = pid }) => ({
        pid,
        start,
        parent,
        session,
        group,
      })),
    find: () => undefined,
    isOwn: (pid) => all.find((one) => one.pid === pid)?.foreign !== true,
    environment: (pid) => all.find((one) => one.pid === pid)?.environment,
  };
}

function found(known: readonly { pid: number; start: string }[], ...fakes: Fake[]): number[] {
  const after = { pid: 77, start: '400' };
  return findProcesses({ token, known, after }, table(...fakes)).map(({ pid }) => pid);
}

describe('findProcesses', () => {
  it('finds processes by the token in their environment, wherever they are', () => {
    expect(found([], { pid: 501, environment: marked }, { pid: 502, environment: 'A=1\0' })).toEqual([501]);
  });

  it('uses PID and start time if the environment cannot be read, and never the PID alone', () => {
    const known = [{ pid: 501, start: '500' }];
    expect(found(known, { pid: 501 })).toEqual([501]);
    expect(found(known, { pid: 501, start: '501' })).toEqual([]);
  });

  it('ignores PID and start time if the environment has no token', () => {
    expect(found([{ pid: 501, start: '500' }], { pid: 501, environment: 'HOME=/\0' })).toEqual([]);
  });

  it('includes their sessions and their descendants without the token', () => {
    const leader = { pid: 501, environment: marked };
    const others = [
      { pid: 502, session: 501, environment: 'A=1\0' },
      { pid: 503, parent: 502, environment: 'A=1\0' },
      { pid: 504, parent: 503, environment: 'A=1\0' },
      { pid: 505, parent: 1, environment: 'A=1\0' },
    ];
    expect(found([], ...others, leader).sort()).toEqual([501, 502, 503, 504]);
  });

  it('excludes reapers, which end by themselves', () => {
    const reaper = { pid: 502, parent: 501, environment: 'PETRI_REAPER=1\0' };
    expect(found([], { pid: 501, environment: marked }, reaper)).toEqual([501]);
  });

  it('excludes init, this process, its parents, its session, other users and processes older than the owner', () => {
    const known = [1, process.pid, process.ppid, 501, 502, 503].map((pid) => ({ pid, start: '500' }));
    const fakes = [
      { pid: 1, environment: marked },
      { pid: 501, environment: marked, session: 1000 },
      { pid: 502, environment: marked, foreign: true },
      { pid: 503, environment: marked, start: '399' },
    ];
    expect(found(known, ...fakes)).toEqual([]);
  });

  it('matches a token only as a whole and in its variable', () => {
    expect(bears(marked, entryToken('77-ab', 3))).toBe(true);
    expect(bears(marked, entryToken('77-ab', 33))).toBe(false);
    expect(bears(marked, ledgerToken('7-ab'))).toBe(false);
    expect(bears(`OTHER=${entryToken('77-ab', 3)}\0`, token)).toBe(false);
  });
});

describe.each([
  ['of this system', systemProcessTable()],
  ['of ps, which macOS has', psTable],
])('the table %s', (_name, processes) => {
  it('has this process and its parent', () => {
    const self = processes.find(process.pid);
    expect(self).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(processes.list().map(({ pid }) => pid)).toEqual(expect.arrayContaining([process.pid, process.ppid]));
    expect(identityOf(process.pid, processes)).toEqual({ pid: process.pid, start: self?.start });
    expect(processes.isOwn(process.pid)).toBe(true);
  });

  it('has no process that does not exist', () => {
    expect(processes.find(2 ** 22 + 1)).toBeUndefined();
    expect(processes.isOwn(2 ** 22 + 1)).toBe(false);
  });
});

it.runIf(systemProcessTable() === procTable)('reads environments from /proc', () => {
  expect(procTable.environment(process.pid)).toContain('PATH=');
});
