import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type * as z from 'zod';
import { PetriError } from '../errors.ts';

/** Name of the file in a stack's root folder that describes what is installed. It is written last. */
export const stackFile = 'stack.json';

/** The names of a stack in error messages. */
export interface InstalledFileWords {
  /** Its name, as in 'no FVP stack is installed'. */
  readonly stack: string;
  readonly installRemedy: string;
  /** Variable that names the root folder. */
  readonly variable: string;
}

/**
 * Reads `<root>/stack.json`. Does not look at the files it names.
 *
 * @throws PetriError `stack-missing`, `stack-invalid`
 */
export function readInstalledFile<T>(schema: z.ZodType<T>, root: string, words: InstalledFileWords): T {
  const path = join(root, stackFile);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new PetriError(`no ${words.stack} is installed in ${root}: ${reason(error)}`, {
      code: 'stack-missing',
      step: 'probe',
      remedy: `${words.installRemedy}, or set ${words.variable} to the folder of one that is installed`,
      cause: error,
    });
  }
  return parseInstalledFile(schema, text, path, words);
}

/** @throws PetriError `stack-invalid` */
export function parseInstalledFile<T>(schema: z.ZodType<T>, text: string, path: string, words: InstalledFileWords): T {
  const invalid = (why: string, cause: unknown): PetriError =>
    new PetriError(`${path} does not describe an installed ${words.stack}: ${why}`, {
      code: 'stack-invalid',
      step: 'probe',
      remedy: words.installRemedy,
      cause,
    });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw invalid(reason(error), error);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, parsed.error);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
