import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { flashImage } from './flash.ts';
import { type LockFile, lockFormat } from './lock-file.ts';

const path = join(artifactsFolder(), 'cca', 'qemu.lock.yaml');
const shipped = lockFormat.parse(readFileSync(path, 'utf8'), path);

function edited(edit: (lock: LockFile) => void): string {
  const lock = structuredClone(shipped);
  edit(lock);
  return JSON.stringify(lock);
}

describe('the lock file of the package for QEMU', () => {
  it('pins the bundle of firmware and host, with a reason for each source', () => {
    for (const name of ['tfa', 'tfrmm', 'edk2', 'host-linux']) {
      expect(shipped.sources[name]?.revision, name).toMatch(/^[0-9a-f]{40}$/);
    }
    for (const source of Object.values(shipped.sources)) expect(source.why).toBeDefined();
  });

  it('survives being written and read, with the same digest', () => {
    const again = lockFormat.parse(lockFormat.format(shipped), 'again');
    expect(again).toEqual(shipped);
    expect(lockFormat.digest(again)).toBe(lockFormat.digest(shipped));
  });

  it.each([
    ['an option of make that is more than a variable', edited((lock) => (lock.options.tfa['X'] = '1 --eval=y')), /tfa/],
    ['a variable that is an option', edited((lock) => (lock.options.tfrmm['-C'] = 'x')), /tfrmm/],
    ['a missing source', edited((lock) => delete lock.sources['busybox']), /sources.busybox: missing/],
    ['another platform', edited((lock) => Object.assign(lock, { platform: 'fvp' })), /platform/],
  ])('is rejected with %s', (_what, content, message) => {
    expect(() => lockFormat.parse(content, 'mine.yaml')).toThrow(message);
    expect(() => lockFormat.parse(content, 'mine.yaml')).toThrow(/^mine.yaml is not a lock file for the QEMU stack/);
  });
});

describe('a flash image', () => {
  const fip = Buffer.from('a package');

  it('has the FIP at 256 KiB', () => {
    const image = flashImage(Buffer.from('bl1'), fip);
    expect(image).toHaveLength(0x40000 + fip.length);
    expect(image.subarray(0x40000)).toEqual(fip);
  });

  it.each([
    ['a BL1 that overlaps the FIP', Buffer.alloc(0x40001), fip, /BL1 has 262145 bytes/],
    ['a FIP that is longer than a flash', Buffer.alloc(8), Buffer.alloc(64 * 2 ** 20), /more than a flash has/],
  ])('is not made of %s', (_what, bl1, package_, message) => {
    expect(() => flashImage(bl1, package_)).toThrow(message);
  });
});
