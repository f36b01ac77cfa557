import { PetriError } from '../../errors.ts';
import { fullCommit } from './git-source.ts';
import type { Lock, LockedSource, LockFormat } from './lock-format.ts';
import type { SourceOverride } from './manager.ts';

export interface ResolveRequest<T extends Lock> {
  readonly format: LockFormat<T>;
  /** The lock file of the package, or the one that the user gave. */
  readonly base: T;
  /** The lock that was written for this stack before. */
  readonly own: T | undefined;
  readonly overrides: readonly SourceOverride[];
  /** Resolve branches again. */
  readonly refresh: boolean;
  /** Sources whose revision is not needed. */
  readonly unused: ReadonlySet<string>;
  /** Queries a repository for the commit of a ref; undefined: leave refs unresolved. */
  readonly ask: ((repository: string, ref: string) => Promise<string>) | undefined;
}

/**
 * The lock that applies to a stack: the base, with the user's replacements, and with a commit for each branch, which is
 * resolved once and kept.
 *
 * @throws PetriError `invalid-option`, `tool-failed`, `lock-file-invalid`
 */
export async function resolveLock<T extends Lock>(request: ResolveRequest<T>): Promise<T> {
  const { format, base, own, overrides } = request;
  for (const { name } of overrides) {
    if (!Object.hasOwn(base.sources, name)) throw unknownSource(format.stack, name, Object.keys(base.sources));
  }
  const sources: Record<string, LockedSource> = {};
  for (const [name, entry] of Object.entries(base.sources)) {
    let source = chosen(entry, own?.sources[name], request.refresh);
    for (const override of overrides) if (override.name === name) source = replaced(source, override);
    if (source.revision === null && request.ask !== undefined && !request.unused.has(name)) {
      const revision = await request.ask(source.repository, source.ref ?? 'HEAD');
      source = { ...source, revision, by: source.by ?? 'resolved' };
    }
    sources[name] = source;
  }
  const lock = { ...base, sources };
  // Values from the command line must satisfy the same rules as a file.
  return format.parse(JSON.stringify(lock), 'the lock with --source and the other options applied');
}

function chosen(entry: LockedSource, mine: LockedSource | undefined, refresh: boolean): LockedSource {
  if (mine?.by === 'user') return refresh && mine.ref !== undefined ? { ...mine, revision: null } : mine;
  const isSame = mine?.by === 'resolved' && mine.repository === entry.repository && mine.ref === entry.ref;
  return entry.revision === null && isSame && !refresh ? mine : entry;
}

function replaced(source: LockedSource, override: SourceOverride): LockedSource {
  const repository = override.repository ?? source.repository;
  const moved = repository !== source.repository;
  const component = source.component === undefined ? {} : { component: source.component };
  // A warning about one repository does not apply to another.
  const fork = moved || source.fork === undefined ? {} : { fork: source.fork };
  const common = { repository, ...component, ...fork, by: 'user' as const, why: 'given on the command line' };
  const wanted = override.revision ?? source.ref ?? source.revision ?? 'HEAD';
  return fullCommit.test(wanted) ? { ...common, revision: wanted } : { ...common, revision: null, ref: wanted };
}

function unknownSource(stack: string, name: string, known: readonly string[]): PetriError {
  return new PetriError(`the ${stack} has no source '${name}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `its sources are ${known.join(', ')}`,
  });
}
