import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import zlib from 'node:zlib';
import { PetriError } from '../errors.ts';

/** At offset 56 of an arm64 Image (Linux, `Documentation/arch/arm64/booting.rst`). */
const IMAGE_MAGIC = 'ARM\x64';
const GZIP_MAGIC = '\x1f\x8b';
const ZSTD_MAGIC = '\x28\xb5\x2f\xfd';
const HEAD_BYTES = 4096;
/** Maximum size of a decompressed Image in bytes; those of distributions for arm64 have less than 100 MiB. */
const LARGEST_IMAGE = 2 ** 29;

/** Available from Node 22.15 and 23.8 on. */
const { zstdDecompressSync } = zlib as unknown as {
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;
};

/** Other kernel formats, by the magic at an offset, and how to get an Image from them. */
const others: readonly (readonly [offset: number, magic: string, what: string, remedy: string])[] = [
  [0, ZSTD_MAGIC, 'compressed with zstd', 'unpack it: zstd -d'],
  [0, '\x04\x22\x4d\x18', 'compressed with lz4', 'unpack it: lz4 -d'],
  [0, '\x02\x21\x4c\x18', 'compressed with lz4', 'unpack it: lz4 -d'],
  [0, '\xfd7zXZ\0', 'compressed with xz', 'unpack it: xz -d'],
  [0, '\x5d\0\0', 'compressed with lzma', 'unpack it: xz -d --format=lzma'],
  [0, 'BZh', 'compressed with bzip2', 'unpack it: bzip2 -d'],
  [0, '\x89LZO', 'compressed with lzo', 'unpack it: lzop -d'],
  [0, '\x27\x05\x19\x56', 'a uImage of U-Boot', 'take the Image out of it: dumpimage -o Image'],
  [
    0,
    '\xd0\x0d\xfe\xed',
    'a FIT image or a device tree',
    'take the Image out of it: dumpimage -T flat_dt -p 0 -o Image',
  ],
  [0, '\x7fELF', 'an ELF file (vmlinux)', 'give arch/arm64/boot/Image, which is built beside it'],
  [0, 'ANDROID!', 'a boot image of Android', 'take the kernel out of it: unpack_bootimg'],
  [0x202, 'HdrS', 'a bzImage for x86', 'give a kernel for arm64'],
  [36, '\x18\x28\x6f\x01', 'a zImage for 32-bit Arm', 'give a kernel for arm64'],
  [56, 'RSC\x05', 'an Image for RISC-V', 'give a kernel for arm64'],
  [
    0,
    'MZ',
    'another EFI program, such as a unified kernel image',
    'take the section .linux out of it: objcopy -O binary -j .linux',
  ],
];

/** Location of the Image in an EFI zboot kernel (Linux, `drivers/firmware/efi/libstub/zboot-header.S`). */
interface Zboot {
  readonly offset: number;
  readonly size: number;
  /** Such as `gzip`. */
  readonly compression: string;
}

/**
 * Checks that a file is a kernel that can be booted: an arm64 Image, one in gzip, or an EFI zboot kernel that can be
 * decompressed.
 *
 * @throws PetriError `image-invalid`, which names the actual format
 */
export function checkKernel(path: string): void {
  withFile(path, (read, size) => {
    const head = read(0);
    const zboot = parseZboot(path, head, size);
    if (zboot !== undefined) checkPacked(path, zboot.compression, read(zboot.offset));
    else if (startsWith(head, 0, GZIP_MAGIC)) checkPacked(path, 'gzip', head);
    else if (!startsWith(head, 56, IMAGE_MAGIC)) throw notAnImage(path, head);
  });
}

/** @param use receives a function that reads a few kilobytes from an offset, and the size of the file */
function withFile<T>(path: string, use: (read: (offset: number) => Buffer, size: number) => T): T {
  const file = openSync(path, 'r');
  try {
    const read = (offset: number): Buffer => {
      const bytes = Buffer.alloc(HEAD_BYTES);
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
    };
    return use(read, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

/**
 * The Image in an EFI zboot kernel, which not every QEMU decompresses; undefined for a kernel that is used unchanged.
 *
 * @throws PetriError `image-invalid`
 */
export function unpackKernel(path: string): Uint8Array | undefined {
  const zboot = withFile(path, (read, size) => parseZboot(path, read(0), size));
  if (zboot === undefined) return undefined;
  const packed = readFileSync(path).subarray(zboot.offset, zboot.offset + zboot.size);
  let image: Buffer;
  try {
    const options = { maxOutputLength: LARGEST_IMAGE };
    image = zboot.compression === 'gzip' ? zlib.gunzipSync(packed, options) : unzstd(path)(packed, options);
  } catch (error) {
    if (error instanceof PetriError) throw error;
    throw broken(path, error instanceof Error ? error.message : String(error));
  }
  if (!startsWith(image, 56, IMAGE_MAGIC)) throw broken(path, 'what is in it is no arm64 Image');
  return image;
}

function parseZboot(path: string, head: Buffer, fileSize: number): Zboot | undefined {
  if (!startsWith(head, 0, 'MZ') || !startsWith(head, 4, 'zimg') || head.length < 64) return undefined;
  const [offset, size] = [head.readUInt32LE(8), head.readUInt32LE(12)];
  const compression = /^[a-z0-9]*/.exec(head.toString('latin1', 24, 56))?.[0] ?? '';
  if (offset < 64 || size === 0 || offset + size > fileSize) {
    throw broken(path, `its Image would be bytes ${offset} to ${offset + size} of ${fileSize}`);
  }
  if (compression === 'zstd') unzstd(path);
  else if (compression !== 'gzip') {
    const remedy = 'build the kernel with CONFIG_KERNEL_GZIP, or give the Image that it was made of';
    throw refusal(path, `is an EFI zboot kernel compressed with ${compression || 'nothing known'}`, remedy);
  }
  return { offset, size, compression };
}

function unzstd(path: string): NonNullable<typeof zstdDecompressSync> {
  if (zstdDecompressSync !== undefined) return zstdDecompressSync;
  throw refusal(
    path,
    'is an EFI zboot kernel compressed with zstd, which this Node cannot undo',
    'use Node 22.15 or newer, or give the Image that it was made of',
  );
}

/** Checks the start of the compressed data. */
function checkPacked(path: string, compression: string, packed: Buffer): void {
  if (compression === 'zstd') {
    if (!startsWith(packed, 0, ZSTD_MAGIC)) throw broken(path, 'what is in it is not of zstd');
    return;
  }
  let start: Buffer;
  try {
    start = zlib.gunzipSync(packed, { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: LARGEST_IMAGE });
  } catch (error) {
    throw broken(path, error instanceof Error ? error.message : String(error));
  }
  if (!startsWith(start, 56, IMAGE_MAGIC)) throw broken(path, 'what gzip has in it is no arm64 Image');
}

function startsWith(bytes: Buffer, offset: number, magic: string): boolean {
  return bytes.toString('latin1', offset, offset + magic.length) === magic;
}

function notAnImage(path: string, head: Buffer): PetriError {
  const other = others.find(([offset, magic]) => startsWith(head, offset, magic));
  if (other !== undefined) return refusal(path, `is ${other[2]}`, other[3]);
  return refusal(
    path,
    'has neither the magic of an Image nor that of gzip',
    'give the file that is built as arch/arm64/boot/Image or Image.gz, or vmlinuz of an arm64 distribution',
  );
}

function broken(path: string, why: string): PetriError {
  return refusal(path, `is damaged: ${why}`, 'build or fetch it again');
}

function refusal(path: string, what: string, remedy: string): PetriError {
  return new PetriError(`${path} is no arm64 kernel that boots here: it ${what}`, {
    code: 'image-invalid',
    step: 'payload',
    remedy,
  });
}
