import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { TestProject } from 'vitest/node';

import type { IsolationType } from '../contract/index.ts';

/**
 * Names a project whose results go into a blob after what it ran on: `sim:cca`, `vm:qemu:none+cca`. vitest derives test
 * ids from the names of project and file, and keeps only one of several results with the same id when it merges blobs.
 */
export function nameForBlob(project: TestProject, backend: string, isolation: readonly IsolationType[]): void {
  const writesBlob = project.vitest.config.reporters.some((one) => Array.isArray(one) && one[0] === 'blob');
  if (!writesBlob) return;
  const { name } = project;
  const parts = [...(name === '' || name === backend ? [] : [name]), backend, isolation.join('+')];
  project.config.name = parts.filter((part) => part !== '').join(':');
}

/** One file of tests in a blob. */
export interface BlobFile {
  readonly blob: string;
  readonly project: string;
  readonly path: string;
}

/**
 * The content of the blobs in a folder that vitest is about to merge. Unreadable ones are ignored, since vitest reports
 * them.
 *
 * @param folder as given with `--merge-reports`, relative to the current directory
 */
export async function readBlobFiles(folder: string): Promise<BlobFile[]> {
  const path = resolve(folder);
  const names = await readdir(path).catch(() => []);
  const files = await Promise.all(
    names.sort().map(async (blob) => filesIn(blob, await readFile(resolve(path, blob), 'utf8').catch(() => ''))),
  );
  return files.flat();
}

/**
 * vitest writes a blob with `flatted`: a list of values whose first is the root, in which strings in objects and lists
 * are indices into the list. The second member of the root is the list of files.
 */
function filesIn(blob: string, text: string): BlobFile[] {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return [];
  }
  const at = (position: unknown): unknown =>
    Array.isArray(values) ? (values[Number(position)] as unknown) : undefined;
  const root = at(0);
  const files = Array.isArray(root) ? at(root[1]) : undefined;
  if (!Array.isArray(files)) return [];
  return files.map(at).flatMap((file) => {
    if (typeof file !== 'object' || file === null) return [];
    const text = (key: string): string => {
      const position: unknown = Reflect.get(file, key);
      const value = position === undefined ? '' : at(position);
      return typeof value === 'string' ? value : '';
    };
    return [{ blob, project: text('projectName'), path: text('name') }];
  });
}
