import type { TestProjectInlineConfiguration } from 'vitest/config';
import type { RunnerTask, RunnerTestFile, RunnerTestSuite } from 'vitest';
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

import { PetriError } from '../errors.ts';
import { printError } from '../text/index.ts';
import { type BlobFile, readBlobFiles } from './blob-names.ts';
import { outcomeOf } from '../report/index.ts';
import { emptyRuns } from './run-check.ts';

const prepared = new WeakMap<Vitest, Promise<void>>();

/**
 * Makes `vitest --merge-reports` keep the results of several backends and isolation types apart: each name in the blobs
 * gets a project of its own, and precedes the names of its tests. Called once per vitest, however many projects it has.
 *
 * @throws PetriError `invalid-option` for two blobs of which vitest would lose one
 */
export function prepareMerge(vitest: Vitest, inject: InjectProjects): Promise<void> {
  const preparing = prepared.get(vitest) ?? prepare(vitest, inject);
  prepared.set(vitest, preparing);
  return preparing;
}

/** The parameter of vitest's hook. */
export type InjectProjects = (projects: TestProjectInlineConfiguration[]) => Promise<unknown>;

async function prepare(vitest: Vitest, inject: InjectProjects): Promise<void> {
  const files = await readBlobFiles(vitest.config.mergeReports);
  refuseLoss(files);
  const known = vitest.projects.map(({ name }) => name);
  const missing = [...new Set(files.map(({ project }) => project))].filter((name) => !known.includes(name));
  if (missing.length > 0) await inject(missing.map((name) => ({ root: vitest.config.root, test: { name } })));
  // Before the other reporters, which should see the renamed files.
  vitest.config.reporters.unshift(new MergedRuns(vitest));
}

/** Of equal ids, vitest silently keeps only the results of the last blob. */
function refuseLoss(files: readonly BlobFile[]): void {
  const seen = new Map<string, BlobFile>();
  for (const file of files) {
    const key = `${file.project}\n${file.path}`;
    const other = seen.get(key);
    seen.set(key, file);
    if (other === undefined) continue;
    const project = file.project === '' ? '' : ` of ${file.project}`;
    throw new PetriError(
      `${other.blob} and ${file.blob} both have results of ${file.path}${project}; one would be lost`,
      {
        code: 'invalid-option',
        step: 'options',
        remedy: 'merge blobs of runs that differ in backend, --isolation, --shard or --project, each of them once',
      },
    );
  }
}

/**
 * A vitest reporter that renames merged results before other reporters see them, and fails if nothing ran in any blob.
 */
class MergedRuns implements Reporter {
  readonly #vitest: Vitest;

  constructor(vitest: Vitest) {
    this.#vitest = vitest;
  }

  onInit(): void {
    for (const file of this.#vitest.state.blobs?.files ?? []) nameTests(file);
  }

  onTestRunEnd(modules: readonly TestModule[], _errors: readonly unknown[], reason: TestRunEndReason): void {
    if (reason === 'interrupted' || this.#vitest.config.passWithNoTests) return;
    const names = [...new Set(modules.map(({ project }) => project.name))];
    const groups = names.map((backend) => ({
      backend,
      tests: modules
        .filter(({ project }) => project.name === backend)
        .flatMap((module) => [...module.children.allTests()].map(outcomeOf)),
    }));
    // A single shard cannot know that.
    const complaints = emptyRuns(groups, { isolation: [], others: ['the runs that were merged'] });
    if (complaints.length === 0) return;
    process.exitCode = 1;
    printError(`${complaints.map((complaint) => `petri: ${complaint}`).join('\n')}\n\n`);
  }
}

/** Reporters such as `junit` and `json` omit projects: the name is added as a suite around all tests of a file. */
function nameTests(file: RunnerTestFile): void {
  const { projectName: name = '', tasks } = file;
  if (name === '') return;
  const suite: RunnerTestSuite = {
    id: `${file.id}_project`,
    type: 'suite',
    name,
    fullName: `${file.fullName} > ${name}`,
    fullTestName: name,
    mode: file.mode,
    tasks,
    meta: {},
    file,
    ...(file.result === undefined ? {} : { result: { state: file.result.state } }),
  };
  file.tasks = [suite];
  for (const task of tasks) task.suite = suite;
  rename(tasks, suite);
}

function rename(tasks: readonly RunnerTask[], parent: RunnerTestSuite): void {
  for (const task of tasks) {
    task.fullName = `${parent.fullName} > ${task.name}`;
    task.fullTestName = `${parent.fullTestName ?? ''} > ${task.name}`;
    if (task.type === 'suite') rename(task.tasks, task);
  }
}
