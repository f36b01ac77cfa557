import pc from 'picocolors';
import type { Reporter, TestModule, TestProject } from 'vitest/node';

import { harmlessLine, print } from '../text/index.ts';
import { type IsolationType, isolationTypes } from '../contract/index.ts';
import { type Outcome, type OutcomeKind, outcomeOf } from './outcome.ts';

/** Tests of one isolation type by how they ended; excluded tests are not counted. */
type Tally = Record<Exclude<OutcomeKind, 'left out'>, number>;

/** The results of a run, as counted by {@link summarize}. */
export interface RunSummary {
  readonly byIsolation: ReadonlyMap<IsolationType, Readonly<Tally>>;
  /** How many tests were skipped for each reason; tests excluded by a filter have none and are not counted. */
  readonly skipReasons: ReadonlyMap<string, number>;
  /** Test files that should have run and were not read before the run ended. */
  readonly unreadFiles: number;
}

export function summarize(tests: Iterable<Outcome>, unreadFiles = 0): RunSummary {
  const byIsolation = new Map<IsolationType, Tally>();
  const skipReasons = new Map<string, number>();
  for (const { kind, isolation, reason } of tests) {
    if (reason !== undefined) skipReasons.set(reason, (skipReasons.get(reason) ?? 0) + 1);
    if (isolation === undefined || kind === 'left out') continue;
    const tally = byIsolation.get(isolation) ?? { passed: 0, failed: 0, skipped: 0, 'not run': 0 };
    byIsolation.set(isolation, tally);
    tally[kind] += 1;
  }
  return { byIsolation, skipReasons, unreadFiles };
}

/** A backend as it appears in the summary. */
export interface SummarizedBackend {
  readonly name: string;
  readonly description: string;
}

/**
 * The lines after vitest's own summary; none if no VM test ran and nothing was skipped for a reason.
 *
 * @param projects names of the projects that ran on the backend, if a run has several backends
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
  if (summary.unreadFiles > 0) {
    const files = `${summary.unreadFiles} test ${summary.unreadFiles === 1 ? 'file' : 'files'}`;
    lines.push(`${label('Not run')}  ${pc.yellow(files)}, whose tests are not counted: the run was ended before`);
  }
  const reasons = byCount(summary.skipReasons);
  for (const [index, [reason, count]] of reasons.entries()) {
    lines.push(`${label(index === 0 ? 'Skipped' : '')}  ${pc.yellow(`${String(count)} ×`)} ${harmlessLine(reason)}`);
  }
  return lines;
}

/** Reasons with how often each was given, the most frequent first. */
export function byCount(reasons: ReadonlyMap<string, number>): [string, number][] {
  return [...reasons].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
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
    tally['not run'] > 0 ? pc.yellow(`${String(tally['not run'])} not run`) : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(pc.dim(' | '));
}

/** A vitest reporter that prints, at the end of a run, on which backends it ran and why tests were skipped. */
export class PetriSummary implements Reporter {
  readonly #backends: ReadonlyMap<TestProject, SummarizedBackend>;

  /** @param backends of the projects that have one; they are known when the run ends */
  constructor(backends: ReadonlyMap<TestProject, SummarizedBackend>) {
    this.#backends = backends;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const backends = new Map([...this.#backends.values()].map((backend) => [backend.name, backend]));
    for (const backend of backends.values()) {
      const own = modules.filter(({ project }) => this.#backends.get(project)?.name === backend.name);
      const tests = own.flatMap((module) => [...module.children.allTests()].map(outcomeOf));
      const names = backends.size < 2 ? [] : [...new Set(own.map(({ project }) => project.name))];
      const lines = formatSummary(summarize(tests, own.filter(isUnread).length), backend, names);
      if (lines.length > 0) print(`${lines.join('\n')}\n\n`);
    }
  }
}

/** Whether a file was still waiting when the run was cancelled. */
export function isUnread(module: TestModule): boolean {
  return module.state() === 'queued' || (module.state() === 'pending' && module.children.size === 0);
}
