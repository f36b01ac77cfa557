import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { fullCommit } from './git-source.ts';

// Repositories and revisions are inserted into command lines and, for shrinkwrap, into shell scripts: a value from a
// file must be a single word to any shell.
const repository = z
  .string()
  .regex(/^(?:[a-z+]+:\/\/|[\w.~/])[\w@%+=:,./~-]*$/, 'must be a URL or path without spaces and shell characters');
const ref = z.string().regex(/^\w[\w./+-]*$/, 'must be the name of a branch, tag or commit');

const sourceSchema = z
  .strictObject({
    repository,
    /** Full commit id; null where only `ref` is known. */
    revision: z.string().regex(fullCommit, 'must be a full commit id of 40 hex digits, or null').nullable(),
    ref: ref.optional(),
    /** Why this revision, or why there is none. */
    why: z.string().optional(),
    /** What to know of a repository that is not the project's own. */
    fork: z.string().optional(),
    /** The shrinkwrap component of which it is the source, with the repository in it if there are several. */
    component: z
      .string()
      .regex(/^[\w-]+(\/[\w-]+)?$/)
      .optional(),
    /** In a user's own lock file: where the revision came from. */
    by: z.enum(['resolved', 'user']).optional(),
  })
  .refine((source) => source.revision !== null || (source.ref !== undefined && source.why !== undefined), {
    message: 'without a revision, it needs `ref` and `why`',
  });

export type LockedSource = z.infer<typeof sourceSchema>;

/** Schema fields that all lock files share. */
export const lockFields = {
  version: z.literal(1),
  sources: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), sourceSchema),
  /** sha256 of files by their names in stack.json. */
  digests: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
};

/** The part of a lock that does not depend on the platform. */
export interface Lock {
  readonly sources: Readonly<Record<string, LockedSource>>;
  readonly digests: Readonly<Record<string, string>>;
}

export interface LockFormatOptions<T extends Lock> {
  readonly schema: z.ZodType<T>;
  /** What is locked, for messages: 'FVP stack'. */
  readonly stack: string;
  /** Document that describes the format. */
  readonly documentation: string;
  /** Command that builds from a lock file. */
  readonly install: string;
  /** Sources that the plan itself needs, without which a lock file is invalid. */
  readonly indispensable: readonly string[];
}

const LIMIT_BYTES = 1 << 20;

/** The lock files of one kind of stack. */
export class LockFormat<T extends Lock> {
  readonly stack: string;
  readonly #options: LockFormatOptions<T>;

  constructor(options: LockFormatOptions<T>) {
    this.stack = options.stack;
    this.#options = options;
  }

  /** @throws PetriError `lock-file-invalid` */
  async read(path: string): Promise<T> {
    let text: string;
    try {
      if ((await stat(path)).size > LIMIT_BYTES) throw new Error('it is larger than 1 MiB');
      text = await readFile(path, 'utf8');
    } catch (error) {
      throw this.#invalid(path, error instanceof Error ? error.message : String(error), error);
    }
    return this.parse(text, path);
  }

  /** @throws PetriError `lock-file-invalid` */
  parse(text: string, path: string): T {
    const { schema, indispensable } = this.#options;
    let content: unknown;
    try {
      const document = parseDocument(text);
      const [problem] = document.errors;
      if (problem !== undefined) throw problem;
      content = document.toJS();
    } catch (error) {
      throw this.#invalid(path, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), error);
    }
    const parsed = schema.safeParse(content);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw this.#invalid(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, parsed.error);
    }
    const missing = indispensable.filter((name) => !Object.hasOwn(parsed.data.sources, name));
    if (missing.length > 0) throw this.#invalid(path, `sources.${missing.join(', sources.')}: missing`);
    return parsed.data;
  }

  /** The text of the file for a user; the same lock always gives the same text. */
  format(lock: T): string {
    const head = [
      `# What this ${this.stack} was built from. \`${this.#options.install} --lock FILE\` builds the same elsewhere.`,
      '# Without this file, everything is taken from the lock file of petri-vm again.',
    ];
    return `${head.join('\n')}\n${stringify(lock, { lineWidth: 120 })}`;
  }

  digest(lock: T): string {
    return createHash('sha256').update(this.format(lock)).digest('hex');
  }

  #invalid(path: string, why: string, cause?: unknown): PetriError {
    return new PetriError(`${path} is not a lock file for the ${this.stack}: ${why}`, {
      code: 'lock-file-invalid',
      step: 'install',
      remedy: `correct it; ${this.#options.documentation} describes the format`,
      cause,
    });
  }
}

/** A source of a lock that is known to have it. */
export function lockedSource(lock: Lock, name: string): LockedSource {
  const source = lock.sources[name];
  if (source === undefined) throw new Error(`the lock was not checked: no source ${name}`);
  return source;
}
