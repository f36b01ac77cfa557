import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PetriError } from '../../errors.ts';
import { tmk } from '../../payload/index.ts';
import { optionalTool } from '../../unit-test/optional-tool.ts';
import type { HaltReason, PlaneExit } from '../../contract/index.ts';
import { buildTmk } from './build.ts';
import { listTmks } from './list.ts';
import { reportSummary, reportTest, type FinishedTest } from './report.ts';
import { runTmks } from './run.ts';

const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');

let folder: string;
let printed: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-test-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    printed += stripVTControlCharacters(String(chunk));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  process.exitCode = undefined;
});

async function failureOf(action: () => unknown): Promise<PetriError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PetriError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('petri tmk list', () => {
  it('shows the tests in a payload with their flags', () => {
    listTmks(['simple'], {});
    expect(printed).toMatch(/^simple {2}file [\d.]+ KiB, image [\d.]+ KiB, entry 0x[\da-f]+, 4 tests\n/);
    expect(printed).toContain('    common::boot\n');
    expect(printed).toContain('    aarch64::instruction_abort_ripas_empty  expected failure, Linux only\n');
  });

  it('shows every prebuilt payload with its description', () => {
    listTmks([], {});
    for (const name of ['hello', 'selftest', 'exits', 'loop']) expect(printed).toMatch(new RegExp(`^${name} `, 'm'));
    expect(printed).toContain('The smallest TMK there is');
  });

  it('gives JSON', () => {
    listTmks(['hello'], { json: true });
    expect(JSON.parse(printed)).toMatchObject({ payloads: [{ name: 'hello', tests: [{ name: 'boot', index: 0 }] }] });
  });

  it('continues after an unreadable one, and fails', () => {
    listTmks(['nosuch', 'hello'], {});
    expect(printed).toContain("there is no TMK payload 'nosuch'");
    expect(printed).toContain('    boot');
    expect(process.exitCode).toBe(1);
  });
});

describe('petri tmk build', () => {
  const source = '#include "tmk.h"\nTMK_TEST(mine, TMK_EXPECTED_FAILURE) { tmk_panic("no %d", 1); }\n';

  it.skipIf(gcc === undefined)('builds a TMK from a C file', () => {
    const [input, output] = [join(folder, 'mine.c'), join(folder, 'out.elf')];
    writeFileSync(input, source);
    buildTmk([input], { output, optimize: '3' });
    expect(printed).toMatch(/out\.elf: [\d.]+ KiB, tests: mine\n$/);
    expect(tmk(output).image.tests).toEqual([{ index: 0, name: 'mine', expectedFailure: true, linuxOnly: false }]);
  });

  it.skipIf(gcc === undefined)('reports an error of the compiler', async () => {
    const input = join(folder, 'mine.c');
    writeFileSync(input, 'this is not C');
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(await failureOf(() => buildTmk([input], { output: join(folder, 'out.elf') }))).toMatchObject({
      code: 'tool-failed',
    });
  });

  it('reports what to install', async () => {
    const input = join(folder, 'mine.c');
    writeFileSync(input, source);
    vi.stubEnv('CROSS_COMPILE', join(folder, 'no-'));
    const error = await failureOf(() => buildTmk([input], {}));
    expect(error).toMatchObject({ code: 'tool-missing' });
    expect(error.remedy).toContain('apt-get install gcc-aarch64-linux-gnu');
  });

  it.each([
    [[], {}, 'needs a C file'],
    [['/nowhere/mine.c'], {}, '/nowhere/mine.c is not a file'],
    [[import.meta.filename], { optimize: 'x' }, "-O takes 0, 1, 2, 3, s, z or g, not 'x'"],
  ])('refuses %j with %j', async (sources, options, message) => {
    const error = await failureOf(() => buildTmk(sources, options));
    expect(error).toMatchObject({ code: 'invalid-option', step: 'options' });
    expect(error.message).toContain(message);
  });
});

describe('petri tmk run', () => {
  it.each([
    [[], {}, 'invalid-option'],
    [['nosuch'], {}, 'artifact-missing'],
    [['simple'], { test: 'nosuch' }, 'tmk-test-unknown'],
    [['hello'], { backend: 'nosuch' }, 'unknown-backend'],
    [['hello'], { isolation: 'nosuch' }, 'unknown-isolation'],
    [['hello'], { backend: 'sim', isolation: 'snp' }, 'unsupported'],
  ])('refuses %j with %j', async (names, options, code) => {
    expect(await failureOf(() => runTmks(names, options))).toMatchObject({ code });
  });

  it('shows the output of a test, and its verdict', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    await runTmks(['hello'], { backend: 'sim', isolation: 'cca', exits: true });
    expect(printed).toContain('hello on sim, isolation cca\n');
    expect(printed).toContain('  | hello world\n');
    expect(printed).toMatch(/ {2}ok {3}boot {2}[\d,]+ instructions, \d+ exits of plane 1, [\d.]+ ms\n/);
    expect(printed).toMatch(/0 {2}pc 0x[0-9a-f]+ {2}data abort: write of 8 bytes/);
    expect(printed).toContain('1 ok in');
    expect(process.exitCode).toBeUndefined();
  });

  it('fails when a test does', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(folder);
    await runTmks(['verdicts'], { backend: 'sim', isolation: 'cca', test: 'panics', quiet: true });
    expect(printed).not.toContain('running test');
    expect(printed).toMatch(/ {2}FAIL panics .*\n +panic at payloads\/verdicts\.c:\d+: this is the end\n/);
    expect(process.exitCode).toBe(1);
  });
});

describe('the report of a test', () => {
  const exit: PlaneExit = {
    index: 7,
    reason: 'sync',
    pc: 0x8000_1000n,
    pstate: 0x3c5n,
    esr: 0x5a00_0000n,
    far: 0n,
    hpfar: 0n,
    ec: 0x16,
    iss: { IL: 1, imm16: 0x34 },
    summary: 'HVC #0x34',
  };
  const registers = { x: Array.from({ length: 31 }, (_, n) => BigInt(n)), sp: 0x10n, pc: 0x8000_1000n, pstate: 0x3c5n };
  const halt: HaltReason = {
    reason: 'fault',
    message: 'HVC #0x34',
    exit,
    registers,
    symbol: { name: 'test_hvc', offset: 4 },
  };
  const finished = (verdict: 'pass' | 'fail', expectedFailure: boolean): FinishedTest => ({
    test: { index: 0, name: 'hvc', expectedFailure, linuxOnly: false },
    result: { test: 'hvc', verdict, cause: 'because of it', expectedFailure, logs: [], events: [], halt },
    milliseconds: 1.25,
    instructions: 12_345,
    planes: [{ index: 1, exitCount: 8, exits: [{ ...exit, index: 0 }, exit] }],
  });
  const report = (done: FinishedTest, withExits = false): string =>
    stripVTControlCharacters(reportTest(done, withExits));

  it('that failed has the exit, the symbol and the registers', () => {
    const text = report(finished('fail', false));
    expect(text).toContain('  FAIL hvc  12,345 instructions, 8 exits of plane 1, 1.3 ms\n');
    expect(text).toContain('because of it\n');
    expect(text).toContain('ESR 0x5a000000 (EC 0x16, IL 0x1, imm16 0x34)');
    expect(text).toContain('pc is in test_hvc, 4 bytes in\n');
    expect(text).toContain('x30 000000000000001e');
    expect(text).toContain('pc 0x80001000  sp 0x10  pstate 0x3c5\n');
  });

  it('that failed as expected is short', () => {
    const text = report(finished('pass', true));
    expect(text).toContain('  ok   hvc (expected failure)  ');
    expect(text).not.toContain('x30');
    expect(text.split('\n')).toHaveLength(4);
  });

  it('lists exits on request, with the gap in a long run', () => {
    const text = report(finished('pass', false), true);
    expect(text).toContain('8 exits of plane 1:\n');
    expect(text).toMatch(/0 {2}pc 0x80001000 {2}HVC #0x34\n +… 6 more\n +7 {2}pc/);
  });

  it('ends with the counts', () => {
    const summary = reportSummary([finished('pass', false), finished('fail', false)], 3, 1500, `${process.cwd()}/x`);
    expect(stripVTControlCharacters(summary)).toBe('\n1 ok, 1 failed, 3 skipped in 1.50 s; consoles and logs: x\n');
  });
});
