import type { TestProject, Vitest } from 'vitest/node';

import type { Backend, ProbeResult } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { runsHome, stateHome } from '../homes/index.ts';
import { harmlessLine } from '../text/index.ts';
import { isUserBackend, requireBackend } from './backends.ts';
import { defaultBackend, givenOptions, type PetriOptions, resolveOptions } from './options.ts';
import { configuredOptions, petriPlugins, type PluginOptions } from './plugin-options.ts';
import type { ProvidedSelection } from './provided.ts';
import { pruneRuns, runDirectoryPath, runsNote } from './run-directory.ts';
import { type CheckedProject, RunCheck } from './run-check.ts';
import { PetriSummary } from '../report/index.ts';

/** Name of the plugin that a command adds to list tests only. */
export const inspectingPlugin = 'petri-vm:inspecting';

/** Data that the projects of one vitest share. */
interface Run {
  readonly directory: string;
  readonly projects: Map<TestProject, CheckedProject>;
  /** By name: each backend is probed once. */
  readonly backends: Map<string, ReturnType<typeof requireBackend>>;
}

const runs = new WeakMap<Vitest, Run>();

/**
 * Chooses and probes the backend of a project. Projects of one vitest may have different ones; none is chosen if no
 * test runs.
 *
 * @throws PetriError as `resolveOptions`, `requireBackend`, `stateHome` and `runsHome`, and `invalid-option` for an
 *   option that would run several projects on one backend, or for one isolation type, although the configuration
 *   separates them
 */
export async function select(vitest: Vitest, project: TestProject): Promise<ProvidedSelection | undefined> {
  const { config } = vitest;
  if (config.mergeReports || config.listTags || config.clearCache) return undefined;
  if (vitest.vite.config.plugins.some((plugin) => plugin.name === inspectingPlugin)) return undefined;

  refuseToMingle(vitest.projects, givenOptions(process.argv, process.env));
  const { backend, isolation, strictSkips } = resolveOptions(process.argv, process.env, configuredOptions(project));
  const run = runOf(vitest);
  const { probe, backend: loaded } = await probedOnce(run, backend);
  run.projects.set(project, { name: backend, description: loaded.description, isolation, strictSkips });
  const runDirectory = run.directory;
  return { backend, userBackend: isUserBackend(backend), probe, isolation, runner: process.pid, runDirectory };
}

function probedOnce(
  run: Run,
  backend: string,
): Promise<{ readonly backend: Backend; readonly probe: ProbeResult & { readonly available: true } }> {
  const probing = run.backends.get(backend) ?? requireBackend(backend);
  run.backends.set(backend, probing);
  return probing;
}

function runOf(vitest: Vitest): Run {
  const known = runs.get(vitest);
  if (known !== undefined) return known;
  const { config } = vitest;
  // Errors that would affect VMs are reported here, not in the middle of a test.
  stateHome();
  const runsAt = runsHome(config.root);
  const run: Run = {
    directory: runDirectoryPath(runsAt.path, new Date(), process.pid),
    projects: new Map(),
    backends: new Map(),
  };
  runs.set(vitest, run);
  if (config.reporters.some((reporter) => humanReporters.has(Array.isArray(reporter) ? reporter[0] : ''))) {
    config.reporters.push(new PetriSummary(run.projects));
  }
  config.reporters.push(new RunCheck(run.projects));
  const note = runsNote(runsAt);
  if (note !== undefined) vitest.logger.warn(`petri: ${harmlessLine(note)}`);
  // Concurrent with the run, which does not depend on it.
  pruneRuns(run.directory).catch((error: unknown) => {
    vitest.logger.warn(`petri: old runs could not be removed: ${harmlessLine(String(error))}`);
  });
  vitest.onClose(() => leaveNothing(vitest, run.directory));
  return run;
}

/** Reporters with human-readable output. With any other, such as `json`, our summary would spoil the output. */
const humanReporters = new Set(['default', 'verbose', 'dot', 'tree', 'agent', 'minimal']);

/** Time limit in milliseconds for ending what a run started; less than vitest's own `teardownTimeout`. */
const END_TIMEOUT = 8000;

/** Workers may end before what they started does. After vitest has ended, nothing of it must be left. */
async function leaveNothing(vitest: Vitest, runDirectory: string): Promise<void> {
  const { waitForRun } = await import('../kit/process/index.ts');
  try {
    for (const what of await waitForRun(runDirectory, END_TIMEOUT)) {
      vitest.logger.warn(`petri: this is still there, and being ended: ${harmlessLine(what)}`);
    }
  } catch (error) {
    if (!(error instanceof PetriError)) throw error;
    vitest.logger.warn(`petri: whether anything was left behind is not known: ${error.message}`);
  }
}

/** A project that is named after one backend and runs on another would be misleading. */
function refuseToMingle(projects: readonly TestProject[], given: Pick<PetriOptions, 'backend' | 'isolation'>): void {
  const ours = projects.filter((project) => petriPlugins(project).length > 0);
  const refuse = (option: string, variable: string, value: string, of: (options: PluginOptions) => string): void => {
    const values = ours.map((project) => ({ name: project.name, own: of(configuredOptions(project)) }));
    if (new Set(values.map(({ own }) => own)).size < 2) return;
    throw new PetriError(
      `--${option}=${value} is for all projects of the configuration, and those are for different ones:`,
      {
        code: 'invalid-option',
        step: 'options',
        details: values.map(({ name, own }) => `${name.padEnd(10)} ${own}`),
        remedy: `choose a project with --project=NAME, or leave out --${option} and ${variable}`,
      },
    );
  };
  if (given.backend !== undefined) {
    refuse('backend', 'PETRI_BACKEND', given.backend, ({ backend = defaultBackend }) => backend);
  }
  if (given.isolation.length > 0) {
    refuse('isolation', 'PETRI_ISOLATION', given.isolation.join(','), ({ isolation = [] }) =>
      isolation.length === 0 ? 'all isolation types' : [...isolation].sort().join(', '),
    );
  }
}
