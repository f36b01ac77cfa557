import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { PetriError } from '../../errors.ts';
import { digestOf } from './digest.ts';
import { unreadable } from './superblock.ts';
import type { InjectedFile } from './types.ts';
import type { Workspace } from './workspace.ts';

/** A file that is ready to be written into an image. */
export interface StagedFile {
  readonly path: string;
  /** Its name in the workspace. */
  readonly link: string;
  readonly mode: number;
  readonly size: number;
  readonly sha256: string;
}

/** @throws PetriError `artifact-missing` for a source that is not a readable file, `invalid-option` for a bad mode */
export async function stage(workspace: Workspace, { path, source, mode = 0o644 }: InjectedFile): Promise<StagedFile> {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
    throw new PetriError(`the mode of ${JSON.stringify(path)} is ${String(mode)}, which is invalid`, {
      code: 'invalid-option',
      step: 'artifact',
      remedy: 'give permission bits, such as 0o755',
    });
  }
  if (typeof source !== 'string') {
    const sha256 = createHash('sha256').update(source).digest('hex');
    return { path, link: await workspace.file(source), mode, size: source.length, sha256 };
  }
  try {
    const found = await stat(source);
    // A pipe or a device would be read without end.
    if (!found.isFile()) throw new Error('it is not a file');
    return { path, link: await workspace.link(source), mode, size: found.size, sha256: await digestOf(source) };
  } catch (error) {
    throw unreadable(`the file for ${JSON.stringify(path)}`, source, error);
  }
}
