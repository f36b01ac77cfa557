import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';

import { PetriError } from '../../../petri/errors.ts';
import { fullCommit } from '../../../petri/stack/index.ts';

// shrinkwrap writes repositories, revisions and variables into shell scripts as they are: nothing that a shell would read
// as more than a word may come from a file.
const repository = z
  .string()
  .regex(/^(?:[a-z+]+:\/\/|[\w.~/])[\w@%+=:,./~-]*$/, 'must be a URL or path without spaces and shell characters');
const ref = z.string().regex(/^\w[\w./+-]*$/, 'must be the name of a branch, tag or commit');
const configName = z.string().regex(/^\w[\w./-]*\.yaml$/, 'must be the name of a .yaml file');
const variable = z.string().regex(/^(?:[\w./=@,+: -]|\$\{artifact:\w+\})*$/, 'must not have shell characters');

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
    /** shrinkwrap's component that it is the source of, with the repository inside it where there are several. */
    component: z
      .string()
      .regex(/^[\w-]+(\/[\w-]+)?$/)
      .optional(),
    /** In a user's own lock file: how the revision came to be. */
    by: z.enum(['resolved', 'user']).optional(),
  })
  .refine((source) => source.revision !== null || (source.ref !== undefined && source.why !== undefined), {
    message: 'without a revision, it needs `ref` and `why`',
  });

const lockSchema = z.strictObject({
  version: z.literal(1),
  platform: z.literal('fvp'),
  shrinkwrap: z.strictObject({
    config: configName,
    image: z
      .string()
      .regex(/^[\w./:@-]+$/)
      .nullable(),
    overlays: z.array(configName),
    variables: z.record(z.string().regex(/^\w+$/), variable),
  }),
  sources: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), sourceSchema),
  python: z.record(z.string().regex(/^[a-z0-9][\w.-]*$/i), z.string().regex(/^\w[\w.!+-]*$/)),
  digests: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

export type LockFile = z.infer<typeof lockSchema>;
export type LockedSource = z.infer<typeof sourceSchema>;

/** Sources that the plan itself needs; a lock file without them is of no use. */
const indispensable = ['shrinkwrap', 'plane0-linux', 'openvmm', 'tfa', 'tfrmm', 'host-linux', 'kvmtool'] as const;
export type SourceName = (typeof indispensable)[number];

const LIMIT_BYTES = 1 << 20;

/** @throws PetriError `lock-file-invalid` */
export async function readLockFile(path: string): Promise<LockFile> {
  let text: string;
  try {
    if ((await stat(path)).size > LIMIT_BYTES) throw new Error('it is larger than 1 MiB');
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(path, error instanceof Error ? error.message : String(error), error);
  }
  return parseLockFile(text, path);
}

/** @throws PetriError `lock-file-invalid` */
export function parseLockFile(text: string, path: string): LockFile {
  let content: unknown;
  try {
    const document = parseDocument(text);
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    content = document.toJS();
  } catch (error) {
    throw invalid(path, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), error);
  }
  const parsed = lockSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`, parsed.error);
  }
  const missing = indispensable.filter((name) => !Object.hasOwn(parsed.data.sources, name));
  if (missing.length > 0) throw invalid(path, `sources.${missing.join(', sources.')}: missing`);
  return parsed.data;
}

/** The file as it is written for a user, the same for the same lock. */
export function formatLockFile(lock: LockFile): string {
  const head = [
    '# What this FVP stack was built from. `petri cca install --lock FILE` builds the same elsewhere.',
    '# Without this file, everything is taken from the lock file of petri-vm again.',
  ];
  return `${head.join('\n')}\n${stringify(lock, { lineWidth: 120 })}`;
}

export function lockDigest(lock: LockFile): string {
  return createHash('sha256').update(formatLockFile(lock)).digest('hex');
}

function invalid(path: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`${path} is not a lock file for the FVP stack: ${why}`, {
    code: 'lock-file-invalid',
    step: 'install',
    remedy: 'correct it; docs/fvp-stack.md describes the format',
    cause,
  });
}

/** The source of a lock that was checked to have it. */
export function sourceOf(lock: LockFile, name: SourceName): LockedSource {
  const source = lock.sources[name];
  if (source === undefined) throw new Error(`the lock was not checked: no source ${name}`);
  return source;
}
