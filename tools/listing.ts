import type { RecordedTest } from './counts.ts';

/** A test as `petri list --json` prints it. */
export interface ListedTest {
  readonly file: string;
  readonly name: string;
  readonly isolation: string;
  readonly skippedOn: Readonly<Record<string, string | null>>;
}

/** Tests by file, isolation type and name; those of one name in one file are numbered. */
export function byName<Test extends { readonly file: string; readonly name: string; readonly isolation?: string }>(
  tests: readonly Test[],
): Map<string, Test> {
  const named = new Map<string, Test>();
  for (const test of tests) {
    const base = `${test.file} > ${test.isolation ?? '-'}: ${test.name}`;
    let name = base;
    for (let number = 2; named.has(name); number += 1) name = `${base} (${number})`;
    named.set(name, test);
  }
  return named;
}

/** Tests of which `petri list` said that a backend runs them, or skips them, and a run on that backend did not. */
export function contradictions(
  backend: string,
  listed: ReadonlyMap<string, ListedTest>,
  ran: ReadonlyMap<string, RecordedTest>,
): string[] {
  return [...ran].flatMap(([name, { kind, cause, reason }]) => {
    if (kind === 'left out' || kind === 'not run') return [];
    const said = listed.get(name)?.skippedOn[backend];
    if (said === undefined) return [`${name} is not listed for ${backend}`];
    // What a body does is nothing that a list can know.
    const isSkipped = kind === 'skipped' && (cause === 'backend' || cause === 'host');
    if (isSkipped === (said !== null)) return [];
    const did = isSkipped ? `skipped, ${reason ?? 'without a reason'}` : kind;
    return [`${name} on ${backend}: ${said === null ? 'runs' : `skipped, ${said}`}; it was ${did}`];
  });
}
