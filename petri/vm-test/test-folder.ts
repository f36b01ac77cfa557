import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

const LONGEST_NAME = 80;

/** Folders given out by this worker, which has whole files. */
const taken = new Set<string>();

/**
 * A folder of its own for one try of one test, named for its project, its file and itself. It is not made here. Other
 * files, and the same file in other projects, may be at work in other processes: their folders must differ by name.
 */
export function testFolder(runDirectory: string, task: TestContext['task']): string {
  const project = task.file.projectName ?? '';
  const file = [...(project === '' ? [] : [project]), ...task.file.name.split('/')].map(slug);
  const path = task.fullTestName.split(' > ').map(slug);
  const retry = task.result?.retryCount ?? 0;
  const base = join(runDirectory, ...file, ...path) + (retry === 0 ? '' : `.retry-${retry}`);
  let folder = base;
  for (let number = 2; taken.has(folder); number += 1) folder = `${base}.${number}`;
  taken.add(folder);
  return folder;
}

/** A name that every file system takes; a long one is cut and made unique by a hash. */
function slug(name: string): string {
  const plain = name.replaceAll(/[^\p{L}\p{N}_.]+/gu, '-').replaceAll(/^[-.]+|[-.]+$/g, '');
  if (plain.length <= LONGEST_NAME && plain !== '') return plain;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${plain.slice(0, LONGEST_NAME - 9)}-${hash}`;
}
