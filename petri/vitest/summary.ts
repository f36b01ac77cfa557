import pc from 'picocolors';
import type { Reporter, TestCase, TestModule, TestProject } from 'vitest/node';

import { parseTags } from '../test/tags.ts';
import { harmlessLine, print } from '../text/index.ts';
import { type IsolationType, isolationTypes } from '../vm/isolation.ts';

/** Tests of one isolation type by how they ended. */
interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a run's tests came to, as {@link summarize} counts it. */
export interface RunSummary {
  readonly byIsolation: ReadonlyMap<IsolationType, Readonly<Tally>>;
  /** How many tests were skipped for each reason; those that a filter left out have none and are not counted. */
  readonly skipReasons: ReadonlyMap<string, number>;
}

/** A test as far as the summary looks at it. */
export interface SummarizedTest {
  readonly tags: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly note: string | undefined;
}

export function summarize(tests: Iterable<SummarizedTest>): RunSummary {
  const byIsolation = new Map<IsolationType, Tally>();
  const skipReasons = new Map<string, number>();
  for (const test of tests) {
    if (test.state === 'skipped' && test.note !== undefined) {
      skipReasons.set(test.note, (skipReasons.get(test.note) ?? 0) + 1);
    }
    const isolation = parseTags(test.tags)?.isolation;
    const filteredOut = test.state === 'skipped' && test.note === undefined;
    if (isolation === undefined || filteredOut) continue;
    const tally = byIsolation.get(isolation) ?? { passed: 0, failed: 0, skipped: 0 };
    byIsolation.set(isolation, tally);
    // A test that began and has no result did not pass: its worker died.
    tally[test.state === 'pending' ? 'failed' : test.state] += 1;
  }
  return { byIsolation, skipReasons };
}

/** A backend as the summary names it. */
export interface SummarizedBackend {
  readonly name: string;
  readonly description: string;
}

/**
 * The lines after vitest's own summary; none when no VM test ran and nothing was skipped for a reason.
 *
 * @param projects names of the projects that ran on the backend, where a run has several backends
 */
export function formatSummary(
  summary: RunSummary,
  backend: SummarizedBackend,
  projects: readonly string[] = [],
): string[] {
  const lines: string[] = [];
  if (summary.byIsolation.size > 0) {
    lines.push(`${label('Backend')}  ${pc.bold(backend.name)} ${pc.dim(`(${backend.description})`)}`);
    if (projects.length > 0) lines.push(`${label('Project')}  ${projects.join(', ')}`);
    for (const isolation of isolationTypes) {
      const tally = summary.byIsolation.get(isolation);
      if (tally !== undefined) lines.push(`${label(isolation)}  ${formatTally(tally)}`);
    }
  }
  const reasons = [...summary.skipReasons].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  for (const [index, [reason, count]] of reasons.entries()) {
    lines.push(`${label(index === 0 ? 'Skipped' : '')}  ${pc.yellow(`${String(count)} ×`)} ${harmlessLine(reason)}`);
  }
  return lines;
}

// As wide as vitest's own labels.
function label(text: string): string {
  return pc.dim(text.padStart(11));
}

function formatTally(tally: Tally): string {
  const parts = [
    tally.failed > 0 ? pc.red(`${String(tally.failed)} failed`) : undefined,
    tally.passed > 0 ? pc.green(`${String(tally.passed)} passed`) : undefined,
    tally.skipped > 0 ? pc.yellow(`${String(tally.skipped)} skipped`) : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(pc.dim(' | '));
}

/** A vitest reporter that says, at the end of a run, on which backends it ran and why tests were skipped. */
export class PetriSummary implements Reporter {
  readonly #backends = new Map<TestProject, SummarizedBackend>();

  /** Makes the tests of a project known as those of a backend. */
  ranOn(project: TestProject, backend: SummarizedBackend): void {
    this.#backends.set(project, backend);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const backends = new Map([...this.#backends.values()].map((backend) => [backend.name, backend]));
    for (const backend of backends.values()) {
      const own = modules.filter(({ project }) => this.#backends.get(project)?.name === backend.name);
      const tests = own.flatMap((module) => [...module.children.allTests()].map(summarized));
      const names = backends.size < 2 ? [] : [...new Set(own.map(({ project }) => project.name))];
      const lines = formatSummary(summarize(tests), backend, names);
      if (lines.length > 0) print(`${lines.join('\n')}\n\n`);
    }
  }
}

function summarized(test: TestCase): SummarizedTest {
  const result = test.result();
  return { tags: test.tags, state: result.state, note: result.state === 'skipped' ? result.note : undefined };
}
