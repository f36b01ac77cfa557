import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { tmk } from '../../petri/payload/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig, type TmkVm } from '../../petri/vm/index.ts';
import { backend } from './index.ts';

const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
const lcov = optionalTool('lcov', 'lcov');
const types = ['none', 'cca'] as const;

const SOURCE = `#include "tmk.h"
static volatile int odd;

static int never(int x)
{
    return x + 1;
}

static int halved(int x)
{
    if (x & 1)
        odd++;
    else if (x > 100)
        x = never(x);
    return x / 2;
}

TMK_TEST(first, 0)
{
    for (int i = 0; i < 3; i++)
        halved(i);
}

TMK_TEST(second, 0)
{
    halved(1000);
}
`;
/** Lines that only the first and only the second test executes: a function begins with its brace. */
const FIRST = [10, 11, 12, 13, 15, 19, 20, 21, 22];
const SECOND = [5, 6, 7];

const folder = mkdtempSync(join(tmpdir(), 'petri-observation-'));
const source = join(folder, 'halves.c');
const elf = join(folder, 'halves.elf');

beforeAll(() => {
  if (gcc === undefined) return;
  writeFileSync(source, SOURCE);
  const petri = resolve(import.meta.dirname, '../../bin/petri.mjs');
  const built = spawnSync(process.execPath, [petri, 'tmk', 'build', source, '--optimize=0', `--output=${elf}`]);
  expect(String(built.stderr)).toBe('');
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs tests of a payload in one VM. @returns its folder, and how many instructions each test took */
async function run(
  isolation: (typeof types)[number],
  name: string,
  tests: readonly string[],
): Promise<{ directory: string; counts: (number | undefined)[] }> {
  const vm: TmkVm = await launchVm(
    backend,
    { isolation, payload: tmk(name), config: resolveVmConfig({ memory: '64M' }), machine: 'shared' },
    { directory: mkdtempSync(join(folder, 'vm-')), features: ['tmk', 'tmk.events', 'reset'] },
  );
  const counts: (number | undefined)[] = [];
  try {
    for (const test of tests) {
      expect((await vm.tmk.run(test)).verdict).toBe('pass');
      counts.push(vm.instructions);
    }
  } finally {
    await vm.dispose();
  }
  return { directory: vm.directory, counts };
}

/** Lines of a source with their counts, from a tracefile. */
function covered(directory: string): Record<number, number> {
  const text = readFileSync(join(directory, 'guest-coverage.info'), 'utf8');
  expect(text).toContain(`SF:${source}\n`);
  const found = [...text.matchAll(/^DA:(\d+),(\d+)$/gm)];
  return Object.fromEntries(found.map(([, line = '', hits]) => [line, Number(hits)] as const));
}

describe.skipIf(gcc === undefined).each(types)('coverage of a guest of isolation type %s', (isolation) => {
  it('has the lines that its tests execute, and no others', async () => {
    vi.stubEnv('PETRI_GUEST_COVERAGE', '1');
    const one = covered((await run(isolation, elf, ['first'])).directory);
    for (const line of FIRST) expect([line, one[line]]).toEqual([line, 1]);
    for (const line of [...SECOND, 14, 25, 26, 27]) expect([line, one[line]]).toEqual([line, 0]);
    const { directory } = await run(isolation, elf, ['first', 'second']);
    const both = covered(directory);
    for (const line of [...FIRST, ...SECOND, 14, 26]) expect([line, both[line]]).toEqual([line, 1]);
    const text = readFileSync(join(directory, 'guest-coverage.info'), 'utf8');
    expect(text).toContain('FN:5,never\n');
    expect(text).toContain('FNDA:1,never\n');
    expect(existsSync(join(directory, 'trace.txt'))).toBe(false);
  });

  it.skipIf(lcov === undefined)('can be read by lcov', async () => {
    vi.stubEnv('PETRI_GUEST_COVERAGE', '1');
    const { directory } = await run(isolation, elf, ['first']);
    const { stdout, stderr } = spawnSync(lcov ?? '', ['--summary', join(directory, 'guest-coverage.info')], {
      encoding: 'utf8',
    });
    const lines = covered(directory);
    const hit = Object.values(lines).filter((count) => count > 0).length;
    expect(stdout + stderr).toMatch(
      new RegExp(`lines\\.*: [\\d.]+% \\(${hit} of ${Object.keys(lines).length} lines\\)`),
    );
    expect(stdout + stderr).toMatch(/functions\.*: [\d.]+% \(2 of 4 functions\)/);
  });
});

it('says that there is none of a payload without line tables', async () => {
  vi.stubEnv('PETRI_GUEST_COVERAGE', '1');
  const { directory } = await run('none', 'hello', ['boot']);
  expect(readFileSync(join(directory, 'petri.log'), 'utf8')).toContain('no line tables');
  expect(existsSync(join(directory, 'guest-coverage.info'))).toBe(false);
});

describe.each(types)('a trace of a guest of isolation type %s', (isolation) => {
  it('has every instruction once, in order, with its word and its place in the program', async () => {
    const { counts: alone } = await run(isolation, 'hello', ['boot']);
    vi.stubEnv('PETRI_TRACE', '1');
    const { directory, counts } = await run(isolation, 'hello', ['boot', 'boot']);
    expect(counts).toEqual([...alone, ...alone]);
    const lines = readFileSync(join(directory, 'trace.txt'), 'utf8').trimEnd().split('\n');
    const second = lines.indexOf('# boot 2');
    expect(lines[0]).toBe('# boot 1');
    expect(lines.slice(second + 1)).toEqual(lines.slice(1, second));
    const numbers = lines.slice(1, second).filter((line) => !line.endsWith(' !'));
    expect(numbers.map((line) => Number(line.split(' ')[0]))).toEqual(
      Array.from({ length: alone[0] ?? 0 }, (_, index) => index + 1),
    );
    const [, address = '', word = '', place] = numbers[0]?.split(' ') ?? [];
    expect(place).toBe('(_start+0x0)');
    const { image } = tmk('hello');
    const text = image.segments.find(({ vaddr, memsize }) => image.entry >= vaddr && image.entry < vaddr + memsize);
    const offset = image.entry - (text?.vaddr ?? 0);
    expect(Number.parseInt(word, 16)).toBe(Buffer.from(text?.data ?? []).readUInt32LE(offset));
    expect((Number(address) - image.entry) % 4096).toBe(0);
    // A command of a TMK is a store to where there is no memory.
    expect(lines.filter((line) => line.endsWith(' !')).length).toBeGreaterThan(0);
  });
});

it('does not change what a guest with interrupts and exceptions does', async () => {
  const tests = tmk('interrupts').image.tests.map(({ name }) => name);
  const { counts } = await run('none', 'interrupts', tests);
  vi.stubEnv('PETRI_TRACE', '1');
  vi.stubEnv('PETRI_GUEST_COVERAGE', '1');
  expect((await run('none', 'interrupts', tests)).counts).toEqual(counts);
});

it('ends a trace at its limit', async () => {
  vi.stubEnv('PETRI_TRACE', '1');
  const vm = await launchVm(
    backend,
    {
      isolation: 'none',
      payload: tmk('selftest'),
      config: resolveVmConfig({ memory: '64M', consoleLimit: '64K' }),
      machine: 'shared',
    },
    { directory: mkdtempSync(join(folder, 'vm-')), features: ['tmk'], test: tmk('selftest').image.tests[0]?.name },
  );
  await vm.halted;
  await vm.dispose();
  const text = readFileSync(join(vm.directory, 'trace.txt'), 'utf8');
  expect(text).toMatch(/# the trace ends here: it has reached its limit of 65536 bytes\n$/);
  expect(text.length).toBeLessThan(65_536 + 300_000);
});
