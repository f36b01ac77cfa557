import { open } from 'node:fs/promises';
import { PetriError } from '../../errors.ts';
import { readFeatures } from './features.ts';
import { invalid } from './invalid.ts';

/** The superblock of an ext2, ext3 or ext4 file system (Linux, `Documentation/filesystems/ext4/super.rst`). */
export interface Superblock {
  /** Bytes. */
  readonly blockSize: number;
  /** Blocks that are allocated together: more than one with the feature `bigalloc`. */
  readonly clusterBlocks: number;
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
  /** By the names of mke2fs(8). */
  readonly features: ReadonlySet<string>;
  /** Whether the journal, if there is one, is a file of this file system. */
  readonly journalInside: boolean;
}

const OFFSET = 1024;
const LENGTH = 1024;
const MAGIC = 0xef53;
/** For blocks of 64 KiB. */
const LARGEST_LOG_BLOCK_SIZE = 6;

/** No bootable image is larger, and up to here all numbers are exact. */
const LARGEST = 2 ** 46;

/**
 * Reads an image's superblock, and compares it with the file.
 *
 * @throws PetriError `artifact-missing` for a file that is missing or unreadable, `image-invalid` if it is not such a
 *   file system, has unsupported features, or is shorter than its file system
 */
export async function readSuperblock(image: string): Promise<Superblock> {
  const { bytes, size } = await readStart(image);
  if (bytes.length < OFFSET + LENGTH || bytes.readUInt16LE(OFFSET + 0x38) !== MAGIC) {
    throw invalid(image, 'it is not an ext4 file system');
  }
  const start = bytes.subarray(OFFSET);
  if (start.readUInt32LE(0x18) > LARGEST_LOG_BLOCK_SIZE) throw invalid(image, 'its superblock makes no sense');
  const features = readFeatures(image, {
    compat: start.readUInt32LE(0x5c),
    incompat: start.readUInt32LE(0x60),
    readOnlyCompat: start.readUInt32LE(0x64),
  });
  const superblock = parse(start, features);
  if (superblock === undefined) throw invalid(image, 'its superblock makes no sense');
  if (superblock.size > size) {
    const [is, needs] = [size, superblock.size].map((value) => value.toLocaleString('en'));
    throw invalid(image, `it is cut off: its file system has ${String(needs)} bytes, the file ${String(is)}`);
  }
  return superblock;
}

function parse(bytes: Buffer, features: ReadonlySet<string>): Superblock | undefined {
  const is64Bit = features.has('64bit');
  const wide = (low: number, high: number): number =>
    bytes.readUInt32LE(low) + (is64Bit ? bytes.readUInt32LE(high) * 2 ** 32 : 0);
  const logBlockSize = bytes.readUInt32LE(0x18);
  const logClusterSize = features.has('bigalloc') ? bytes.readUInt32LE(0x1c) : logBlockSize;
  if (logClusterSize < logBlockSize || logClusterSize > 20) return undefined;
  const blockSize = 1024 << logBlockSize;
  const blocks = wide(0x04, 0x150);
  const superblock = {
    blockSize,
    clusterBlocks: 1 << (logClusterSize - logBlockSize),
    blocks,
    freeBlocks: wide(0x0c, 0x158),
    reservedBlocks: wide(0x08, 0x154),
    freeInodes: bytes.readUInt32LE(0x10),
    blocksPerGroup: bytes.readUInt32LE(0x20),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    inodeSize: bytes.readUInt16LE(0x58) || 128,
    size: blocks * blockSize,
    features,
    journalInside: bytes.readUInt32LE(0xe0) !== 0,
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
    remedy: 'check that the path is right and the file is readable',
    cause,
  });
}
