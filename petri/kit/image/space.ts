import { open } from 'node:fs/promises';
import { PetriError } from '../../errors.ts';
import { repair } from './check.ts';
import { refuseChanges, refuseGrowth } from './features.ts';
import { readSuperblock, type Superblock } from './superblock.ts';
import { toolFailed } from './tools.ts';
import type { ImageOptions } from './types.ts';
import { IMAGE, Workspace } from './workspace.ts';

const MIB = 1024 * 1024;

/** How often an image is grown before giving up. */
const ROUNDS = 4;

/** The space that an operation needs. */
export interface Need {
  /** Size of each file. */
  readonly sizes: readonly number[];
  readonly newFolders: number;
  /** Bytes that stay free in addition. */
  readonly spare: number;
}

/**
 * Grows the file system of an image to at least `bytes`; never shrinks it.
 *
 * @returns its size
 * @throws PetriError `image-invalid`, `tool-failed`, and `image-full` if there is no space on the disk here
 */
export async function growImage(image: string, bytes: number, options: ImageOptions = {}): Promise<number> {
  const superblock = await readSuperblock(image);
  const { size } = superblock;
  if (size >= bytes) return size;
  refuseChanges(image, superblock);
  refuseGrowth(image, superblock, bytes - size);
  return Workspace.with(image, options.signal, async (workspace) => {
    await repair(workspace, image);
    return grow(workspace, image, bytes);
  });
}

/** Grows a repaired image until there is enough space. */
export async function ensureSpace(workspace: Workspace, image: string, need: Need): Promise<void> {
  for (let round = 0; ; round += 1) {
    const superblock = await readSuperblock(image);
    const lacking = bytesLacking(superblock, need);
    if (lacking === 0) return;
    refuseGrowth(image, superblock, lacking);
    if (round === ROUNDS) {
      throw new PetriError(
        `the image ${JSON.stringify(image)} has too little space for the files, although it was grown to ${superblock.size.toLocaleString('en')} bytes`,
        { code: 'image-full', step: 'artifact', remedy: 'make the image with more free space' },
      );
    }
    await grow(workspace, image, superblock.size + lacking);
  }
}

/** How many bytes an image has to grow by; the estimate is never too high. */
export function bytesLacking(superblock: Superblock, { sizes, newFolders, spare }: Need): number {
  const { blockSize, blocksPerGroup, freeBlocks, freeInodes, inodesPerGroup, inodeSize, reservedBlocks } = superblock;
  const { clusterBlocks } = superblock;
  const blocksOf = (size: number): number => Math.ceil(size / (blockSize * clusterBlocks)) * clusterBlocks;
  // In addition to its data a file may need a block of its extent tree for every few hundred extents or, without
  // extents, a block of pointers for every quarter of a block's bytes. Each new folder needs a block, as may its
  // parent.
  const pointers = (size: number): number => (Math.ceil(blocksOf(size) / (blockSize / 4)) + 2) * clusterBlocks;
  const data = sizes.reduce((sum, size) => sum + blocksOf(size) + pointers(size), 0);
  const blocks = data + (2 * newFolders + sizes.length) * clusterBlocks + blocksOf(spare) + reservedBlocks;
  const lackingBlocks = Math.max(0, blocks - freeBlocks);
  const lackingInodes = Math.max(0, sizes.length + newFolders - freeInodes);
  if (lackingBlocks === 0 && lackingInodes === 0) return 0;
  // A new block group contains bitmaps, inodes and perhaps a copy of the superblock.
  const groupOverhead = blocksOf(inodesPerGroup * inodeSize) + 16;
  const usable = Math.max(1, blocksPerGroup - groupOverhead);
  const forData = lackingBlocks + Math.ceil(lackingBlocks / usable) * groupOverhead;
  const forInodes = Math.ceil(lackingInodes / inodesPerGroup) * blocksPerGroup;
  return Math.ceil((Math.max(forData, forInodes) * blockSize) / MIB) * MIB;
}

async function grow(workspace: Workspace, image: string, bytes: number): Promise<number> {
  const { blockSize, size } = await readSuperblock(image);
  const wanted = Math.ceil(bytes / blockSize) * blockSize;
  const file = await open(image, 'r+');
  try {
    const stat = await file.stat();
    if (stat.size < wanted) await file.truncate(wanted);
  } finally {
    await file.close();
  }
  const { code, stdout, stderr } = await workspace.run('resize2fs', [IMAGE]);
  const after = await readSuperblock(image);
  if (code === 0 && after.size > size) return after.size;
  throw toolFailed(
    'resize2fs',
    `exit code ${String(code)}, the image has ${String(after.size)} bytes`,
    stdout + stderr,
  );
}
