import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { writeAtomically } from './stamp.ts';

const fileName = 'settings.json';

/**
 * The user's choices at installation, so that they need not be repeated to continue or to update.
 *
 * @param schema with optional fields only
 * @throws PetriError `invalid-config`
 */
export async function readSettings<T>(root: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(root, fileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return schema.parse({});
    throw unreadable(path, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(path, error);
  }
}

export async function writeSettings(root: string, settings: object): Promise<void> {
  await writeAtomically(join(root, fileName), `${JSON.stringify(settings, null, 2)}\n`);
}

function unreadable(path: string, cause: unknown): PetriError {
  return new PetriError(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
    code: 'invalid-config',
    step: 'install',
    remedy: 'remove it and give your options again',
    cause,
  });
}
