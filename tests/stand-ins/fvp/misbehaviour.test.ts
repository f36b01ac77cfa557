import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { Misbehaviour, readMisbehaviour } from './misbehaviour.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-stand-in-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the list of faults', () => {
  it('is read with values and without', () => {
    const misbehaviour = new Misbehaviour('hang=rmm, stubborn,exit=plane0:134');
    expect(misbehaviour.at('hang', 'rmm')).toBe(true);
    expect(misbehaviour.at('hang', 'tf-a')).toBe(false);
    expect(misbehaviour.has('stubborn')).toBe(true);
    expect(misbehaviour.exitAt('plane0')).toBe(134);
    expect(misbehaviour.exitAt('rmm')).toBeUndefined();
  });

  it.each(['hnag=rmm', 'hang=rnm', 'exit=nowhere:1'])('is refused with a fault that is misspelt: %s', (list) => {
    expect(() => new Misbehaviour(list)).toThrow(/no (fault|stage)/);
  });

  it('of a file goes with the first model that reads it, if it is for once', () => {
    const file = join(folder, 'faults');
    const environment = { PETRI_STAND_IN: `@${file}` };
    expect(readMisbehaviour(environment, true).has('once')).toBe(false);
    writeFileSync(file, 'crash=rmm\nonce\n');
    expect(readMisbehaviour(environment, false).at('crash', 'rmm')).toBe(true);
    expect(readMisbehaviour(environment, true).at('crash', 'rmm')).toBe(true);
    expect(existsSync(file)).toBe(false);
    expect(readMisbehaviour(environment, true).at('crash', 'rmm')).toBe(false);
  });
});
