import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PetriError } from '../../errors.ts';
import { diskFull, replaceFile } from './replace-file.ts';
import { unreadable } from './superblock.ts';
import { runTool, throwIfAborted, toolFailed } from './tools.ts';
import type { CopyReport, ImageOptions } from './types.ts';

/**
 * Copies an image: as a reflink if the file system here supports them, else sparsely. `target` appears complete or not
 * at all, and is replaced if it exists.
 *
 * @throws PetriError `artifact-missing` for a source that cannot be read, `invalid-option` for a target that is a
 *   folder or the source, `image-full` if there is no space, `tool-failed`, `interrupted`
 */
export async function copyImage(source: string, target: string, options: ImageOptions = {}): Promise<CopyReport> {
  return replaceFile(target, (temporary) => copyTo(source, target, temporary, options.signal));
}

/** Copies to `temporary`, which must not exist. */
export async function copyTo(
  source: string,
  target: string,
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<CopyReport> {
  throwIfAborted('copying', signal);
  const before = await statOf(source);
  if (!before.isFile()) throw unreadable('the image', source, new Error('it is not a file'));
  const there = await stat(target).catch(() => undefined); // What is not there cannot be the source.
  if (there?.ino === before.ino && there.dev === before.dev) {
    throw new PetriError(`the image ${JSON.stringify(source)} would be copied onto itself`, {
      code: 'invalid-option',
      step: 'artifact',
      remedy: 'give another target',
    });
  }
  const method = (await reflink(source, temporary)) ? 'reflink' : 'sparse';
  if (method === 'sparse') await sparse(source, temporary, signal);
  // The source may be read-only.
  await chmod(temporary, 0o600 | (before.mode & 0o777));
  const after = await statOf(source);
  const copied = await statOf(temporary);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs || copied.size !== before.size) {
    throw unreadable('the image', source, new Error('it changed while it was copied'));
  }
  return { method, size: copied.size };
}

async function reflink(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false; // Most file systems cannot; whatever else is wrong, copying will say so.
  }
}

/** Copies with cp, which asks the file system for holes instead of reading them. */
async function sparse(source: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  const args = ['--sparse=always', '--reflink=never', '--', resolve(source), resolve(target)];
  const { code, stderr } = await runTool('cp', args, { cwd: dirname(resolve(target)), signal });
  if (code === 0) return;
  if (/No space left on device|Disk quota exceeded/.test(stderr)) throw diskFull(target);
  throw toolFailed('cp', `exit code ${String(code)}`, stderr);
}

async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw unreadable('the image', path, error);
  }
}
