import { describe, expect, it } from 'vitest';

import { CommandTable } from './abi/command-table.ts';
import { Rmi, rmiCommands, Rsi, rsiCommands } from './index.ts';

describe.each([
  ['RMI', rmiCommands, Rmi],
  ['RSI', rsiCommands, Rsi],
])('the table of %s', (_, table, fids) => {
  it('has one row for each function identifier, under its name', () => {
    const rows = table.commands.map(({ name, fid }) => [name, fid]);
    expect(Object.fromEntries(rows)).toEqual(fids);
    expect(rows.length).toBe(Object.keys(fids).length);
    for (const command of table.commands) expect(table.find(command.fid)).toBe(command);
  });

  it('has no command for other function identifiers', () => {
    const known = new Set<number>(Object.values(fids));
    const near = Array.from({ length: 0x60 }, (_, n) => 0xc400_0140 + n).filter((fid) => !known.has(fid));
    for (const fid of [...near, 0, -1, 0x8400_0150, 2 ** 32]) expect(table.find(fid)).toBeUndefined();
  });
});

describe('a table of commands', () => {
  it('rejects two commands with the same function identifier', () => {
    const command = { fid: 7, name: 'SEVEN', operands: [], serve: () => 0 };
    expect(() => new CommandTable([command, { ...command, name: 'ALSO_SEVEN' }])).toThrow('duplicate command 0x7');
  });
});
