import { open } from 'node:fs/promises';
import { PetriError } from '../errors.ts';

/** What the superblock of an ext2, ext3 or ext4 file system says (Linux, `Documentation/filesystems/ext4/super.rst`). */
export interface Superblock {
  /** Bytes. */
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Blocks that only root may use. */
  readonly reservedBlocks: number;
  readonly freeInodes: number;
  readonly inodesPerGroup: number;
  readonly blocksPerGroup: number;
  readonly inodeSize: number;
  /** Bytes of the whole file system. */
  readonly size: number;
}

const OFFSET = 1024;
const LENGTH = 1024;
const MAGIC = 0xef53;
const INCOMPAT_64BIT = 0x80;

/** No image that a VM boots from is larger, and no number below is inexact. */
const LARGEST = 2 ** 46;

/**
 * Reads an image's superblock, and compares it with the file.
 *
 * @throws PetriError `artifact-missing` for a file that is not there or cannot be read, `image-invalid` for one that is no
 *   file system of this kind or shorter than its file system
 */
export async function readSuperblock(image: string): Promise<Superblock> {
  const { bytes, size } = await readStart(image);
  if (bytes.length < OFFSET + LENGTH || bytes.readUInt16LE(OFFSET + 0x38) !== MAGIC) {
    throw invalid(image, 'it is not an ext4 file system');
  }
  const superblock = parse(bytes.subarray(OFFSET));
  if (superblock === undefined) throw invalid(image, 'its superblock makes no sense');
  if (superblock.size > size) {
    const [is, needs] = [size, superblock.size].map((value) => value.toLocaleString('en'));
    throw invalid(image, `it is cut off: its file system has ${String(needs)} bytes, the file ${String(is)}`);
  }
  return superblock;
}

function parse(bytes: Buffer): Superblock | undefined {
  const is64Bit = (bytes.readUInt32LE(0x60) & INCOMPAT_64BIT) !== 0;
  const wide = (low: number, high: number): number =>
    bytes.readUInt32LE(low) + (is64Bit ? bytes.readUInt32LE(high) * 2 ** 32 : 0);
  const logBlockSize = bytes.readUInt32LE(0x18);
  if (logBlockSize > 6) return undefined;
  const blockSize = 1024 << logBlockSize;
  const blocks = wide(0x04, 0x150);
  const superblock = {
    blockSize,
    blocks,
    freeBlocks: wide(0x0c, 0x158),
    reservedBlocks: wide(0x08, 0x154),
    freeInodes: bytes.readUInt32LE(0x10),
    blocksPerGroup: bytes.readUInt32LE(0x20),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    inodeSize: bytes.readUInt16LE(0x58) || 128,
    size: blocks * blockSize,
  };
  const { size, freeBlocks, blocksPerGroup, inodesPerGroup } = superblock;
  const sensible = blocks > 0 && size <= LARGEST && freeBlocks <= blocks && blocksPerGroup > 0 && inodesPerGroup > 0;
  return sensible ? superblock : undefined;
}

async function readStart(image: string): Promise<{ readonly bytes: Buffer; readonly size: number }> {
  try {
    const file = await open(image, 'r');
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw invalid(image, 'it is not a file');
      const buffer = Buffer.alloc(OFFSET + LENGTH);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return { bytes: buffer.subarray(0, bytesRead), size: stat.size };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof PetriError) throw error;
    throw unreadable('the image', image, error);
  }
}

/** @param what such as 'the image' */
export function unreadable(what: string, path: string, cause: unknown): PetriError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PetriError(`${what} ${JSON.stringify(path)} cannot be read: ${why}`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy: 'see whether the path is right and the file may be read',
    cause,
  });
}

export function invalid(image: string, why: string): PetriError {
  return new PetriError(`the image ${JSON.stringify(image)} cannot be used: ${why}`, {
    code: 'image-invalid',
    step: 'artifact',
    remedy: 'make or fetch it again',
  });
}
