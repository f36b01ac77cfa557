import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, constants, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { Evidence } from './step.ts';

/** sha256 of a regular file, in hex. @throws Error if it is missing, not a file or empty */
export async function digestFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new Error(`${path} is missing`);
  if (!found.isFile()) throw new Error(`${path} is not a file`);
  if (found.size === 0) throw new Error(`${path} is empty`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Evidence that consists of the digests of files. */
export async function digestFiles(files: Readonly<Record<string, string>>): Promise<Evidence> {
  const digests: Record<string, string> = {};
  for (const [name, path] of Object.entries(files)) digests[name] = await digestFile(path);
  return digests;
}

/** Copies a file to its target so that there is either a complete new one or none at any time. */
export async function publishFile(source: string, target: string, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.tmp`;
  await rm(temporary, { force: true });
  await copyFile(source, temporary, constants.COPYFILE_FICLONE);
  const handle = await open(temporary, 'r+');
  try {
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, target);
}
