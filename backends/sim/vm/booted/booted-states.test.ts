import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { MemoryImage, PAGE } from '../../guests/index.ts';
import type { BootedState } from './booted-state.ts';
import { BootedStates } from './booted-states.ts';
import { StateFolder } from './state-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-states-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string];

/** A state of 1,000 pages, of which some are not zero. The rest stands in for what a machine saves: plain data. */
function state(pages = 300): BootedState {
  const slots = new Int32Array(1000).fill(-1);
  const chunks = Array.from({ length: Math.ceil(pages / 256) }, () => new Uint8Array(256 * PAGE));
  for (let slot = 0; slot < pages; slot += 1) {
    slots[slot * 3] = slot;
    chunks[Math.floor(slot / 256)]?.fill((slot % 255) + 1, (slot % 256) * PAGE, ((slot % 256) + 1) * PAGE);
  }
  const machine = { registers: Uint8Array.of(1, 2), random: 2n ** 63n, until: Infinity, chunks: new Map([[1, 2]]) };
  return {
    guest: { memory: new MemoryImage(slots, chunks), machine: machine as unknown as BootedState['guest']['machine'] },
    extras: { requests: 3 },
    console: Buffer.from('Linux\n'),
  };
}

/** Everything in a state, whatever its slots are. */
function contents({ guest, extras, console }: BootedState): unknown {
  const pages = [...guest.memory.slots.keys()].map((page) => {
    const bytes = guest.memory.page(page);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
  });
  return { pages, machine: guest.machine, extras, console: Buffer.from(console).toString() };
}

describe('a folder of booted states', () => {
  it('gives back what was kept, on a path for us alone', async () => {
    const states = new StateFolder(join(folder, 'new'));
    expect(await states.find(A)).toBeUndefined();
    await states.keep(A, state());
    const found = await states.find(A);
    expect(found && contents(found)).toEqual(contents(state()));
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'new'))).toEqual([`${A}.state`]);
  });

  it('ignores and removes what is damaged, wherever that is', async () => {
    const states = new StateFolder(folder);
    await states.keep(A, state());
    const path = join(folder, `${A}.state`);
    const bytes = readFileSync(path);
    const flipped = (at: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    };
    const { length } = bytes;
    for (const damaged of [
      ...[0, 16, 20, 24, 28, 40, 300, 5000, length - 40, length - 1].map(flipped),
      bytes.subarray(0, length - 1),
      bytes.subarray(0, 10),
      Buffer.concat([bytes, Buffer.of(0)]),
      Buffer.alloc(0),
      Buffer.alloc(length, 0xff),
    ]) {
      writeFileSync(path, damaged);
      expect(await states.find(A)).toBeUndefined();
      expect(existsSync(path)).toBe(false);
    }
    await states.keep(A, state());
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('makes room by removing what was not used for longest, and never what is new', async () => {
    const states = new StateFolder(folder, 3 * 2 ** 20);
    await states.keep(A, state());
    await states.keep(B, state());
    for (const [key, seconds] of [
      [A, 1000],
      [B, 2000],
    ] as const) {
      utimesSync(join(folder, `${key}.state`), seconds, seconds);
    }
    await states.find(A);
    await states.keep(C, state());
    expect(readdirSync(folder).sort()).toEqual([`${A}.state`, `${C}.state`]);
    await new StateFolder(folder, 1).keep(B, state());
    expect(readdirSync(folder)).toEqual([`${B}.state`]);
  });

  it('leaves a file to whoever writes it, unless they are gone', async () => {
    const states = new StateFolder(folder);
    const part = join(folder, `${A}.state.part`);
    writeFileSync(part, 'half');
    await states.keep(A, state());
    expect(readFileSync(part, 'utf8')).toBe('half');
    expect(await states.find(A)).toBeUndefined();
    utimesSync(part, 1000, 1000);
    await states.keep(A, state());
    expect(readdirSync(folder)).toEqual([`${A}.state`]);
  });
});

describe('booted states', () => {
  it('are made once for all who want them, and read from disk by the next process', async () => {
    const made: string[] = [];
    const log: string[] = [];
    const make = async (): Promise<BootedState> => {
      made.push('made');
      return state();
    };
    const states = new BootedStates(() => new StateFolder(folder));
    const all = await Promise.all([1, 2, 3].map(() => states.get(A, make, (message) => log.push(message))));
    expect(new Set(all).size).toBe(1);
    expect(await states.get(A, make, (message) => log.push(message))).toBe(all[0]);
    const next = new BootedStates(() => new StateFolder(folder));
    const read = await next.get(A, make, (message) => log.push(message));
    expect(read && contents(read)).toEqual(contents(state()));
    expect(made).toEqual(['made']);
    expect(log).toEqual([]);
  });

  it('that could not be made are tried again', async () => {
    const states = new BootedStates(() => new StateFolder(folder));
    const nothing = (): void => undefined;
    expect(await states.get(A, async () => undefined, nothing)).toBeUndefined();
    const failing = async (): Promise<undefined> => await Promise.reject(new Error('no kernel'));
    await expect(states.get(A, failing, nothing)).rejects.toThrow('no kernel');
    expect(await states.get(A, async () => state(), nothing)).toBeDefined();
  });

  it('do without a disk, and log why', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const log: string[] = [];
    const states = new BootedStates(() => new StateFolder(join(file, 'states')));
    expect(
      await states.get(
        A,
        async () => state(),
        (message) => log.push(message),
      ),
    ).toBeDefined();
    expect(log).toEqual([expect.stringMatching(/a booted state cannot be kept: .*(ENOTDIR|EEXIST)/)]);
  });
});
