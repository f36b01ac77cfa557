import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkKernel, unpackKernel } from './linux-kernel.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-kernel-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const image = Buffer.alloc(100_000, 'kernel');
image.write('ARM\x64', 56, 'latin1');

function file(bytes: Uint8Array): string {
  const path = join(folder, 'vmlinuz');
  writeFileSync(path, bytes);
  return path;
}

function at(offset: number, magic: string): Buffer {
  const bytes = Buffer.alloc(2048);
  bytes.write(magic, offset, 'latin1');
  return bytes;
}

function zboot(compression: string, packed: Uint8Array, size = packed.length): Buffer {
  const head = Buffer.alloc(1024);
  head.write('MZ\0\0zimg', 'latin1');
  head.writeUInt32LE(head.length, 8);
  head.writeUInt32LE(size, 12);
  head.write(compression, 24, 'latin1');
  return Buffer.concat([head, packed, Buffer.alloc(500)]);
}

describe('a kernel', () => {
  it('is used unchanged if it is an Image, in gzip or not', () => {
    for (const bytes of [image, zlib.gzipSync(image)]) {
      const path = file(bytes);
      checkKernel(path);
      expect(unpackKernel(path)).toBeUndefined();
    }
  });

  it('is extracted from EFI zboot', () => {
    const path = file(zboot('gzip', zlib.gzipSync(image)));
    checkKernel(path);
    expect(image.equals(unpackKernel(path) ?? new Uint8Array())).toBe(true);
  });

  it('in EFI zboot with zstd is extracted if Node can, and otherwise rejected with its format', () => {
    const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (bytes: Uint8Array) => Buffer };
    const packed = zstdCompressSync?.(image) ?? Buffer.from('\x28\xb5\x2f\xfd', 'latin1');
    const path = file(zboot('zstd', packed));
    if (zstdCompressSync === undefined) {
      expect(() => checkKernel(path)).toThrow('compressed with zstd, which this Node cannot undo');
      return;
    }
    checkKernel(path);
    expect(image.equals(unpackKernel(path) ?? new Uint8Array())).toBe(true);
  });

  it.each<[string, Uint8Array, string]>([
    ['zboot of another compression', zboot('lzma', image), 'zboot kernel compressed with lzma'],
    ['zboot of no compression', zboot('\x1b[31m', image), 'compressed with nothing known'],
    ['zboot that is cut off', zboot('gzip', image, 0xffff_ffff), 'its Image would be bytes 1024 to 4294968319'],
    ['zboot with nothing', zboot('gzip', image, 0), 'its Image would be'],
    ['zboot of something else', zboot('gzip', zlib.gzipSync(Buffer.alloc(9000, 'x'))), 'no arm64 Image'],
    ['zboot of garbage', zboot('gzip', Buffer.alloc(900, 'x')), 'is damaged: incorrect header check'],
    ['garbage in gzip', Buffer.concat([Buffer.of(0x1f, 0x8b, 8, 0), Buffer.alloc(200, 0xff)]), 'is damaged'],
    ['something else in gzip', zlib.gzipSync(Buffer.alloc(9000, 'x')), 'what gzip has in it is no arm64 Image'],
    ['zstd', at(0, '\x28\xb5\x2f\xfd'), 'compressed with zstd'],
    ['lz4', at(0, '\x04\x22\x4d\x18'), 'compressed with lz4'],
    ['legacy lz4', at(0, '\x02\x21\x4c\x18'), 'compressed with lz4'],
    ['xz', at(0, '\xfd7zXZ\0'), 'compressed with xz'],
    ['uImage', at(0, '\x27\x05\x19\x56'), 'a uImage'],
    ['FIT', at(0, '\xd0\x0d\xfe\xed'), 'a FIT image'],
    ['vmlinux', at(0, '\x7fELF'), 'an ELF file'],
    ['bzImage', at(0x202, 'HdrS'), 'a bzImage for x86'],
    ['UKI', at(0, 'MZ'), 'a unified kernel image'],
    ['nothing', new Uint8Array(0), 'neither the magic of an Image nor that of gzip'],
  ])('is rejected with its format: %s', (_, bytes, why) => {
    expect(() => checkKernel(file(bytes))).toThrow(
      expect.objectContaining({ code: 'image-invalid', message: expect.stringContaining(why) as string }),
    );
  });

  it('is not decompressed without limit', () => {
    const path = file(zboot('gzip', zlib.gzipSync(image).subarray(0, 100)));
    expect(() => unpackKernel(path)).toThrow('is damaged');
  });
});
