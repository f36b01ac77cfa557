import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { PetriError } from '../../../petri/errors.ts';
import { writeAtomically } from '../../../petri/stack/index.ts';
import { runtimes } from './installed.ts';

const schema = z.object({
  runtime: z.enum(runtimes).optional(),
  tmkVmm: z.string().optional(),
  shrinkwrap: z.string().optional(),
  /** Lock file instead of the one of the package. */
  lockFile: z.string().optional(),
});

/** What the user chose when installing, so that it need not be given again to go on or to update. */
export type StackSettings = z.infer<typeof schema>;

const fileName = 'settings.json';

/** @throws PetriError `invalid-config` */
export async function readSettings(root: string): Promise<StackSettings> {
  const path = join(root, fileName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw unreadable(path, error);
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(path, error);
  }
}

export async function writeSettings(root: string, settings: StackSettings): Promise<void> {
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
