import pc from 'picocolors';
import type { Reporter, TestModule, TestProject, TestRunEndReason, Vitest } from 'vitest/node';

import { isolationTag } from '../run/index.ts';
import { type IsolationType, isolationTypes } from '../contract/index.ts';
import { harmlessLine, printError } from '../text/index.ts';
import { type Outcome, outcomeOf, byCount, type SummarizedBackend, summarize } from '../report/index.ts';

/** The check's data of a project: its backend, the selection, and whether a skip is a failure. */
export interface CheckedProject extends SummarizedBackend {
  readonly isolation: readonly IsolationType[];
  readonly strictSkips: boolean;
}

/** Filters of a run, in the user's notation. */
export interface RunFilters {
  readonly isolation: readonly IsolationType[];
  readonly others: readonly string[];
}

/** Tests that ran on one backend, or of one project. */
export interface CheckedTests {
  readonly backend: string;
  readonly tests: readonly Outcome[];
}

/**
 * Describes what is wrong with a run that ran nothing: a backend that skipped every VM test, or filters that left none.
 * Without filters, tests were excluded by their files.
 *
 * @param elsewhere tests of projects without a backend
 */
export function emptyRuns(
  groups: readonly CheckedTests[],
  filters: RunFilters,
  elsewhere: readonly Outcome[] = [],
): string[] {
  const all = groups.flatMap(({ tests }) => tests);
  // A user who chooses isolation types expects VM tests.
  const relevant = filters.isolation.length > 0 ? all : [...all, ...elsewhere];
  const isVmRun = filters.isolation.length > 0 || all.some(({ isolation }) => isolation !== undefined);
  const words = [
    ...(filters.isolation.length > 0 ? [`--isolation=${filters.isolation.join(',')}`] : []),
    ...filters.others,
  ];
  if (isVmRun && words.length > 0 && relevant.every(({ kind }) => kind === 'left out')) {
    const there = isolationTypes.filter((type) => all.some(({ isolation }) => isolation === type));
    const found = there.length === 0 ? 'there are no VM tests' : `the VM tests are of ${there.join(', ')}`;
    return [`no test is left by ${words.join(' and ')}: ${found}`];
  }
  return groups.flatMap(({ backend, tests }) => {
    const vmTests = tests.filter(({ isolation }) => isolation !== undefined);
    const skipped = vmTests.filter(({ kind }) => kind === 'skipped');
    if (skipped.length === 0 || vmTests.some(hasRun)) return [];
    return [`no VM test ran on backend '${backend}': all ${skipped.length} were skipped${reasonsOf(skipped)}`];
  });
}

/** Reports which tests a project skipped although its backend should run them. */
export function strictComplaints({ backend, tests }: CheckedTests): string[] {
  const missed = tests.filter(
    ({ kind, isolation, cause }) =>
      kind === 'skipped' && isolation !== undefined && (cause === 'host' || cause === 'itself'),
  );
  if (missed.length === 0) return [];
  const count = missed.length === 1 ? '1 test was' : `${missed.length} tests were`;
  return [`${count} skipped that should run on backend '${backend}' (strictSkips)${reasonsOf(missed)}`];
}

/** A test that failed as announced has run; one that was not reached makes the run fail anyway. */
function hasRun({ kind, cause }: Outcome): boolean {
  return kind === 'passed' || kind === 'failed' || kind === 'not run' || cause === 'unstable';
}

function reasonsOf(tests: readonly Outcome[]): string {
  const stated = tests.map((test) => ({ ...test, reason: test.reason ?? 'without a reason' }));
  return byCount(summarize(stated).skipReasons)
    .map(([reason, count]) => `\n  ${count} × ${harmlessLine(reason)}`)
    .join('');
}

/**
 * A vitest reporter that fails a run that looks successful but has tested nothing, or less than it should. It writes to
 * standard error, since standard output may be machine-readable.
 */
export class RunCheck implements Reporter {
  readonly #projects: ReadonlyMap<TestProject, CheckedProject>;
  #vitest: Vitest | undefined;

  /** @param projects those that have a backend; they are known when the run ends */
  constructor(projects: ReadonlyMap<TestProject, CheckedProject>) {
    this.#projects = projects;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], _errors: readonly unknown[], reason: TestRunEndReason): void {
    const config = this.#vitest?.config;
    // In watch mode a run may consist of one file, and its exit code is not used.
    if (config === undefined || config.watch || reason === 'interrupted') return;
    const complaints = [...this.#projects.keys()].flatMap((project) => this.#strict(project, modules));
    // Other shards may run tests.
    const isWhole = (config.shard?.count ?? 1) === 1;
    if (isWhole && !config.passWithNoTests && modules.length > 0) complaints.push(...this.#empty(modules));
    if (complaints.length === 0) return;
    process.exitCode = 1;
    printError(`${complaints.map((complaint) => pc.red(`petri: ${complaint}`)).join('\n')}\n\n`);
  }

  #strict(project: TestProject, modules: readonly TestModule[]): string[] {
    const checked = this.#projects.get(project);
    if (checked?.strictSkips !== true) return [];
    return strictComplaints({
      backend: checked.name,
      tests: testsOf(modules.filter((one) => one.project === project)),
    });
  }

  #empty(modules: readonly TestModule[]): string[] {
    const backends = [...new Set([...this.#projects.values()].map(({ name }) => name))];
    const groups = backends.map((backend) => ({
      backend,
      tests: testsOf(modules.filter(({ project }) => this.#projects.get(project)?.name === backend)),
    }));
    const elsewhere = modules.filter(({ project }) => !this.#projects.has(project));
    return emptyRuns(groups, this.#filters(), testsOf(elsewhere));
  }

  #filters(): RunFilters {
    const { testNamePattern } = this.#vitest?.config ?? {};
    const projects = [...this.#projects];
    const tags = projects.flatMap(([{ config }, { isolation }]) =>
      (config.tagsFilter ?? []).filter((filter) => filter !== isolationFilter(isolation)),
    );
    return {
      isolation: isolationTypes.filter((type) => projects.some(([, { isolation }]) => isolation.includes(type))),
      others: [
        ...[...new Set(tags)].map((filter) => `--tags-filter='${filter}'`),
        ...(testNamePattern === undefined ? [] : [`--testNamePattern='${testNamePattern.source}'`]),
      ],
    };
  }
}

/** vitest's tags filter for some isolation types; vitest combines it with `--tags-filter` by `and`. */
export function isolationFilter(isolation: readonly IsolationType[]): string {
  return isolation.map(isolationTag).join(' or ');
}

function testsOf(modules: readonly TestModule[]): Outcome[] {
  return modules.flatMap((module) => [...module.children.allTests()].map(outcomeOf));
}
