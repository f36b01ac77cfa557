import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CROSS_COMPILER, missingTools } from '../testing/oracle.ts';
import { unknownInstructions } from '../testing/unknown-instructions.ts';

const prebuilt = fileURLToPath(new URL('../../../../artifacts/tmk/prebuilt/', import.meta.url));
const loops = fileURLToPath(new URL('../testing/vectorised.c', import.meta.url));

const missing = missingTools();
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;

function library(name: string): string {
  return execFileSync(CROSS_COMPILER, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

describe.skipIf(missing !== undefined)(`The decoder knows every instruction${reason}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-instructions-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(readdirSync(prebuilt).filter((name) => name.endsWith('.elf')))('in payload %s', (name) => {
    const { total, unknown } = unknownInstructions(join(prebuilt, name));
    expect(total).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
  });

  it.each(['libgcc.a', 'libm.a'])('in %s', (name) => {
    const { total, unknown } = unknownInstructions(library(name));
    expect(total).toBeGreaterThan(5000);
    expect(unknown).toEqual([]);
  });

  it.each(['-O3', '-Ofast'])('in loops compiled with %s', (level) => {
    const object = join(folder, `loops${level}.o`);
    execFileSync(CROSS_COMPILER, [level, '-ffp-contract=fast', '-ffreestanding', '-c', loops, '-o', object]);
    const { total, unknown } = unknownInstructions(object);
    expect(total).toBeGreaterThan(5000);
    expect(unknown).toEqual([]);
  });
});
