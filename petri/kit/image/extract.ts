import { PetriError } from '../../errors.ts';
import { inspect } from './debugfs.ts';
import { dump } from './dump.ts';
import { refuseUnreplayed } from './features.ts';
import { refuseEncrypted } from './encoded.ts';
import { splitGuestPath } from './guest-path.ts';
import { replaceFile } from './replace-file.ts';
import { invalid } from './invalid.ts';
import { readSuperblock } from './superblock.ts';
import type { ImageOptions } from './types.ts';
import { Workspace } from './workspace.ts';

/**
 * Copies a file out of an image; the target appears complete or not at all. Symbolic links are not followed.
 *
 * @returns its length
 * @throws PetriError `artifact-missing` if the image has no such file, `invalid-option` for an invalid path or target,
 *   `image-invalid`, `tool-missing`, `tool-failed`, `interrupted`
 */
export async function extractFile(
  image: string,
  path: string,
  target: string,
  options: ImageOptions = {},
): Promise<number> {
  const { folders } = splitGuestPath(path);
  const superblock = await readSuperblock(image);
  refuseUnreplayed(image, superblock);
  return Workspace.with(image, options.signal, async (workspace) => {
    const there = await inspect(workspace, image, ['/', ...folders, path]);
    for (const folder of folders) {
      if (there.get(folder)?.type !== 'directory') throw absent(image, path, `${folder} is no folder in it`);
    }
    const file = there.get(path);
    if (file?.type !== 'regular') throw absent(image, path, `it is of type ${file?.type ?? 'nothing'} there`);
    // A file with holes can claim to be far larger than any disk.
    if (file.size > superblock.size) throw invalid(image, `${path} is larger than its file system`);
    refuseEncrypted(image, there);
    return replaceFile(target, async (temporary) => {
      await dump(workspace, image, [{ path, file, output: await workspace.link(temporary) }]);
      return file.size;
    });
  });
}

function absent(image: string, path: string, why: string): PetriError {
  return new PetriError(`the image ${JSON.stringify(image)} has no file ${JSON.stringify(path)}: ${why}`, {
    code: 'artifact-missing',
    step: 'artifact',
    remedy: 'give the path of a file in the image, without symbolic links on the way',
  });
}
