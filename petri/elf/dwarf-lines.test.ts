import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { optionalTool } from '../unit-test/optional-tool.ts';
import { ElfFile } from './elf.ts';
import { readLines } from './dwarf-lines.ts';

const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
const PREFIX = /gcc$/;

const HEADER = `static inline int twice(int x)
{
    return x * 2;
}
`;
const SOURCE = `#include "inner/twice.h"
int seen;
int add(int a, int b)
{
    seen = a;
    return a + b;
}
__attribute__((section(".text.other"))) int other(int a)
{
    if (a > 3)
        return twice(a);
    return 0;
}
void _start(void)
{
    other(add(1, 2));
    for (;;);
}
`;

const folder = mkdtempSync(join(tmpdir(), 'petri-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

function build(name: string, flags: readonly string[]): ElfFile {
  spawnSync('mkdir', ['-p', join(folder, 'inner')]);
  writeFileSync(join(folder, 'inner/twice.h'), HEADER);
  writeFileSync(join(folder, 'source.c'), SOURCE);
  const path = join(folder, name);
  const args = ['-O1', ...flags, '-nostdlib', '-static', '-o', path, join(folder, 'source.c')];
  const { stderr, status } = spawnSync(gcc ?? '', args, { cwd: folder, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return new ElfFile(readFileSync(path), name);
}

/** What addr2line says of an address. */
function addr2line(name: string, addresses: readonly number[]): string[] {
  const program = (gcc ?? '').replace(PREFIX, 'addr2line');
  const { stdout } = spawnSync(program, ['-e', join(folder, name), ...addresses.map((at) => at.toString(16))], {
    encoding: 'utf8',
  });
  return stdout.trim().split('\n');
}

describe.skipIf(gcc === undefined).each([
  ['DWARF 2', ['-gdwarf-2', '-gstrict-dwarf']],
  ['DWARF 4', ['-gdwarf-4']],
  ['DWARF 5', ['-gdwarf-5']],
  ['DWARF 5, compressed', ['-gdwarf-5', '-gz=zlib']],
  ['DWARF 5, of the compiler', ['-gdwarf-5', '-gno-as-loc-support']],
])('line tables of %s', (title, flags) => {
  const name = `${title.replaceAll(/\W/g, '-')}.elf`;

  it('say of each instruction what addr2line says', () => {
    const elf = build(name, flags);
    const { lines } = elf;
    expect(lines.length).toBeGreaterThan(5);
    const addresses = lines.flatMap(({ start, end }) =>
      Array.from({ length: (end - start) / 4 }, (_, index) => start + 4 * index),
    );
    const ours = addresses.map((at) => {
      // Of ranges that begin at the same address the last is the one with instructions.
      const found = lines.find(({ start, end }) => start <= at && at < end);
      return `${found?.file.split('/').slice(-1).join('/') ?? '?'}:${found?.line ?? '?'}`;
    });
    const theirs = addr2line(name, addresses).map((said) => said.replace(/^.*\//, '').replace(/ \(.*$/, ''));
    expect(ours).toEqual(theirs);
    expect(new Set(ours)).toContain('twice.h:3');
  });

  it('name files with their folders', () => {
    const files = new Set(build(name, flags).lines.map(({ file }) => file));
    const header = [...files].find((file) => file.endsWith('twice.h'));
    expect(header?.endsWith('inner/twice.h')).toBe(true);
  });
});

describe.skipIf(gcc === undefined)('a table that somebody has tampered with', () => {
  it('is read as far as it makes sense, and never throws or hangs', () => {
    const elf = build('whole.elf', ['-gdwarf-5']);
    const section = elf.section('.debug_line');
    const table = section?.data.slice() ?? new Uint8Array(0);
    const strings = {
      lineStrings: elf.section('.debug_line_str')?.data ?? new Uint8Array(0),
      strings: elf.section('.debug_str')?.data ?? new Uint8Array(0),
    };
    expect(readLines(table, strings)).toEqual(elf.lines);
    for (let length = 0; length < table.length; length += 1) {
      expect(readLines(table.subarray(0, length), strings).length).toBeLessThanOrEqual(elf.lines.length);
    }
    for (let at = 0; at < table.length; at += 1) {
      for (const byte of [0, 0x7f, 0x80, 0xff]) {
        const changed = table.slice();
        changed[at] = byte;
        expect(Array.isArray(readLines(changed, strings))).toBe(true);
      }
    }
    const none = { lineStrings: new Uint8Array(0), strings: new Uint8Array(0) };
    expect(readLines(table, none)).toEqual([]);
  });
});
