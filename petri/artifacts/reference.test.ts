import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { tmk } from '../payload/index.ts';
import { optionalTool } from '../unit-test/optional-tool.ts';
import { artifactsFolder } from './index.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
const gcc = optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');

/** QEMU has no SP alignment check. */
const unlikeQemu = ['unaligned_sp'];

/** What the last command or fault of each test was, by test, on QEMU behind a small monitor at EL2. */
function runOnQemu(payload: string, ramAddress: string): Map<string, string> {
  const { path, image } = tmk(payload);
  const script = join(artifactsFolder(), 'tmk', 'reference', 'run.sh');
  const output = execFileSync(script, [path, '0', String(image.tests.length), ramAddress], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const ends = new Map<string, string>();
  for (const part of output.split('LOG running test ').slice(1)) {
    const end = part.split('\n').findLast((line) => /^(COMPLETE|PANIC|FAULT) /.test(line));
    ends.set(part.slice(0, part.indexOf('\n')), end ?? 'no end');
  }
  return ends;
}

describe.skipIf(qemu === undefined || gcc === undefined)('on QEMU, payloads do what their flags say', () => {
  it.each([
    ['hello', '0x80000000'],
    ['hello', '0'],
    ['simple', '0x80000000'],
    ['selftest', '0x80000000'],
    ['selftest', '0x40000000'],
    ['simd', '0x80000000'],
    ['fp-environment', '0x80000000'],
    ['exceptions', '0x80000000'],
    ['exits', '0x80000000'],
    ['mmio', '0x80000000'],
    ['garbage', '0x80000000'],
    ['panic', '0x80000000'],
  ])('%s, with RAM at %s', { timeout: 60_000 }, (payload, ramAddress) => {
    const ends = runOnQemu(payload, ramAddress);
    const { tests } = tmk(payload).image;
    expect([...ends.keys()]).toEqual(tests.map((test) => test.name));
    for (const { name, expectedFailure } of tests) {
      if (unlikeQemu.includes(name)) continue;
      const end = ends.get(name) ?? '';
      expect(end === 'COMPLETE true' ? 'passed' : 'failed', `${name}: ${end}`).toBe(
        expectedFailure ? 'failed' : 'passed',
      );
    }
  });
});
