import { open, readFile } from 'node:fs/promises';

import { PetriError } from '../../errors.ts';

/**
 * Images in the firmware image package of a stack for realms, by UUID in the byte order of the file (TF-A,
 * `include/tools_share/firmware_image_package.h`; names as in `tools/fiptool/tbbr_config.c`).
 */
export const fipImages = {
  BL2: '5ff9ec0b4d223e4da544c39d81c73f0a',
  BL31: '47d4086d4cfe98469b952950cbbd5a00',
  RMM: '6c0762a612f24b5692cbba8f633606d9',
  BL33: 'd6d0eea7fcead54b97829934f234b6e4',
} as const;

export type FipImage = keyof typeof fipImages;

/** TOC_HEADER_NAME; `fip_toc_header` and `fip_toc_entry` in bytes. */
export const FIP_MAGIC = 0xaa640001;
export const FIP_HEADER = 16;
export const FIP_ENTRY = 40;

/** A table of contents has at most about thirty entries: TF-A defines no more images. */
const MAX_ENTRIES = 256;

const NO_UUID = '0'.repeat(32);

export interface FipEntry {
  /** 32 hex digits, in the order of the file. */
  readonly uuid: string;
  /** Bytes, from the start of the package. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Reads the table of contents of a firmware image package.
 *
 * @param start the first bytes of the package; they must include the table
 * @param length bytes of the whole package
 * @throws Error if it is not a package, or its table or images reach beyond its end
 */
export function readFipTable(start: Buffer, length: number): FipEntry[] {
  if (start.length < FIP_HEADER || start.readUInt32LE(0) !== FIP_MAGIC)
    throw new Error('it is no firmware image package');
  const entries: FipEntry[] = [];
  for (let at = FIP_HEADER; entries.length < MAX_ENTRIES; at += FIP_ENTRY) {
    if (at + FIP_ENTRY > start.length) throw new Error('its table of contents has no end');
    const uuid = start.toString('hex', at, at + 16);
    if (uuid === NO_UUID) return entries;
    const [offset, size] = [start.readBigUInt64LE(at + 16), start.readBigUInt64LE(at + 24)];
    if (offset + size > BigInt(length)) throw new Error(`${nameOf(uuid)} reaches beyond its end`);
    entries.push({ uuid, offset: Number(offset), size: Number(size) });
  }
  throw new Error(`its table of contents has more than ${String(MAX_ENTRIES)} entries`);
}

/**
 * Checks that a firmware image package has all of the given images, and that none of them is empty.
 *
 * @throws PetriError `tool-failed`
 */
export async function expectFipImages(path: string, images: readonly FipImage[]): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = FIP_HEADER + FIP_ENTRY * (MAX_ENTRIES + 1);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    checkImages(path, tableOf(path, buffer.subarray(0, bytesRead), size), images);
  } finally {
    await handle.close();
  }
}

/**
 * Also checks the content of the images: they must equal the files that were built for them.
 *
 * @param contents paths of files by image
 * @throws PetriError `tool-failed`
 */
export async function expectFipContents(
  path: string,
  images: readonly FipImage[],
  contents: Readonly<Partial<Record<FipImage, string>>>,
): Promise<void> {
  const fip = await readFile(path);
  const table = tableOf(path, fip, fip.length);
  checkImages(path, table, images);
  for (const [name, file] of Object.entries(contents) as [FipImage, string][]) {
    const entry = table.find(({ uuid }) => uuid === fipImages[name]);
    const content = await readFile(file);
    if (entry !== undefined && fip.subarray(entry.offset, entry.offset + entry.size).equals(content)) continue;
    throw unusable(`the ${name} in the FIP ${path} is not ${file}, which was built for it`);
  }
}

function tableOf(path: string, start: Buffer, length: number): FipEntry[] {
  try {
    return readFipTable(start, length);
  } catch (error) {
    throw unusable(`the FIP ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkImages(path: string, table: readonly FipEntry[], images: readonly FipImage[]): void {
  const missing = images.filter((name) => !table.some(({ uuid, size }) => uuid === fipImages[name] && size > 0));
  if (missing.length === 0) return;
  const had = table.map(({ uuid }) => nameOf(uuid)).join(', ');
  throw unusable(`the FIP ${path} has no ${missing.join(', no ')}; it has: ${had === '' ? 'nothing' : had}`);
}

/** The image's name, or its UUID if it is unknown. */
function nameOf(uuid: string): string {
  const known = Object.entries(fipImages).find(([, bytes]) => bytes === uuid)?.[0];
  return known ?? uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function unusable(why: string): PetriError {
  return new PetriError(`the output of TF-A's build is unusable: ${why}`, {
    code: 'tool-failed',
    step: 'install',
    remedy:
      "make ignores variables that it does not know: compare the options of TF-A's build with what this TF-A has " +
      '(its docs/getting_started/build-options.rst; ENABLE_RME, or from v2.15 on ENABLE_FEAT_RME and ENABLE_RMM)',
  });
}
