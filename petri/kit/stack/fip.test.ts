import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectFipContents, expectFipImages, FIP_ENTRY, FIP_HEADER, readFipTable } from './fip.ts';
import { fipScript, writeFip } from './testing/fip.ts';

const images = ['BL2', 'BL31', 'RMM', 'BL33'] as const;
const contents = Object.fromEntries(images.map((name) => [name, Buffer.from(`the ${name}`)]));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-fip-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(name: string, content: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const entryAt = (index: number): number => FIP_HEADER + FIP_ENTRY * index;

function spoiled(spoil: (fip: Buffer) => Buffer | undefined): Buffer {
  const fip = writeFip(contents);
  return spoil(fip) ?? fip;
}

describe('a firmware image package', () => {
  it('is read', () => {
    const fip = writeFip(contents);
    const table = readFipTable(fip, fip.length);
    expect(table.map(({ offset, size }) => fip.toString('latin1', offset, offset + size))).toEqual(
      images.map((name) => `the ${name}`),
    );
    expect(table[2]?.uuid).toBe('6c0762a612f24b5692cbba8f633606d9');
  });

  it('is accepted with all images that a stack needs', async () => {
    await expectFipImages(written('whole.bin', writeFip(contents)), images);
  });

  it.each([
    [
      'without an RMM',
      writeFip(Object.fromEntries(Object.entries(contents).filter(([name]) => name !== 'RMM'))),
      /has no RMM; it has: BL2, BL31, BL33/,
    ],
    ['with an RMM of no bytes', writeFip({ ...contents, RMM: Buffer.alloc(0) }), /has no RMM/],
    ['without anything', writeFip({}), /has no BL2, no BL31, no RMM, no BL33; it has: nothing/],
    ['that is something else', Buffer.from('\x7fELF'.padEnd(100)), /it is no firmware image package/],
    ['that is empty', Buffer.alloc(0), /it is no firmware image package/],
    ['that is cut in its table', spoiled((fip) => fip.subarray(0, entryAt(2) + 8)), /has no end|beyond its end/],
    ['that is cut in an image', spoiled((fip) => fip.subarray(0, -1)), /BL33 reaches beyond its end/],
    [
      'with an image beyond all files',
      spoiled((fip) => void fip.fill(0xff, entryAt(1) + 16, entryAt(1) + 32)),
      /BL31 reaches beyond its end/,
    ],
    [
      'with a table that has no end',
      Buffer.concat([writeFip({}).subarray(0, FIP_HEADER), Buffer.alloc(400 * FIP_ENTRY, 1).fill(0, 16, 32)]),
      /beyond its end|more than 256 entries/,
    ],
  ])('%s is rejected', async (what, fip, message) => {
    const path = written(`${what}.bin`, fip);
    await expect(expectFipImages(path, images)).rejects.toMatchObject({ code: 'tool-failed' });
    await expect(expectFipImages(path, images)).rejects.toThrow(message);
  });

  it('is rejected with another RMM than the one that was built', async () => {
    const fip = written('fip.bin', writeFip(contents));
    const rmm = written('rmm.img', Buffer.from('the RMM'));
    await expectFipContents(fip, images, { RMM: rmm });
    writeFileSync(rmm, 'another');
    await expect(expectFipContents(fip, images, { RMM: rmm })).rejects.toThrow(
      /the RMM in the FIP .* is not .*rmm\.img/,
    );
  });

  it('is the same if made by the script that test builds use', () => {
    const script = written('fip.sh', Buffer.from(fipScript));
    const files = images.map((name) => `${name}=${written(name, Buffer.from(`the ${name}`))}`);
    expect(execFileSync('sh', [script, ...files]).equals(writeFip(contents))).toBe(true);
  });
});
