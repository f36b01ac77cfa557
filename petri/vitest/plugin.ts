import { inspect } from 'node:util';

import type { Plugin } from 'vitest/config';
import type { TestProject, Vitest } from 'vitest/node';

import { PetriError } from '../errors.ts';
import type { BackendPace } from '../backend.ts';
import { stretched } from '../test/stretch.ts';
import { isolationTag } from '../test/tags.ts';
import type { IsolationType } from '../vm/isolation.ts';
import { isUserBackend, requireBackend } from './backends.ts';
import { resolveOptions } from './options.ts';
import type { ProvidedSelection } from './provided.ts';
import { pruneRuns, runDirectoryPath } from './run-directory.ts';
import { markConfigurationSeen } from './seen.ts';
import { PetriSummary } from './summary.ts';
import { userConfigModule } from './user-config.ts';

/** The name of a plugin that a command adds when it only wants to know which tests there are. */
export const inspectingPlugin = 'petri-vm:inspecting';

/** Configuration of the plugin: what the user's file says, which the command line and the environment may overrule. */
export interface PluginOptions {
  readonly backend: string | undefined;
  readonly isolation: readonly IsolationType[] | undefined;
}

/** One vitest has many projects, each with a plugin of its own when it extends our configuration; a run has one backend. */
const selections = new WeakMap<Vitest, Promise<ProvidedSelection | undefined>>();

/** The vitest side of the framework in the main process: chooses the backend, checks it, tells the workers. */
export function petriPlugin(options: PluginOptions): Plugin {
  let configFile: string | undefined;

  return {
    name: 'petri-vm',
    // What VMs write while tests run is no reason to run tests again.
    config: () => ({ server: { watch: { ignored: ['**/.petri/**'] } } }),
    configResolved(config) {
      configFile = config.configFile;
    },
    resolveId(id) {
      return id === userConfigModule ? `\0${userConfigModule}` : undefined;
    },
    load(id) {
      if (id !== `\0${userConfigModule}`) return undefined;
      return configFile === undefined
        ? 'export default undefined;'
        : `export { default } from ${JSON.stringify(configFile)};`;
    },
    // vitest waits for what the hook returns, though its type does not say so.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    async configureVitest({ vitest, project }) {
      markConfigurationSeen();
      project.provide('petriConfigured', true);
      let selection = selections.get(vitest);
      if (selection === undefined) {
        selection = select(vitest, options).catch((error: unknown) => {
          throw withoutStack(error);
        });
        selections.set(vitest, selection);
      }
      const chosen = await selection;
      if (chosen === undefined) return;
      project.provide('petri', chosen);
      filterByIsolation(project, chosen.isolation);
      if (chosen.probe.pace !== undefined) keepPace(project, chosen.probe.pace);
    },
  };
}

async function select(vitest: Vitest, options: PluginOptions): Promise<ProvidedSelection | undefined> {
  const { config } = vitest;
  // Nothing runs then.
  if (config.mergeReports || config.listTags || config.clearCache) return undefined;
  if (vitest.vite.config.plugins.some((plugin) => plugin.name === inspectingPlugin)) return undefined;

  const { backend, isolation } = resolveOptions(process.argv, process.env, options);
  const { probe, backend: loaded } = await requireBackend(backend);
  if (config.reporters.some((reporter) => humanReporters.has(Array.isArray(reporter) ? reporter[0] : ''))) {
    config.reporters.push(new PetriSummary({ name: backend, description: loaded.description }));
  }
  const runDirectory = runDirectoryPath(config.root, new Date(), process.pid);
  // Beside the run, whose result does not depend on it.
  pruneRuns(runDirectory).catch((error: unknown) => {
    vitest.logger.warn(`petri: old runs could not be removed: ${String(error)}`);
  });
  vitest.onClose(() => leaveNothing(vitest, runDirectory));
  return { backend, userBackend: isUserBackend(backend), probe, isolation, runner: process.pid, runDirectory };
}

/** Milliseconds that ending what a run started may take after its last test; less than vitest's own `teardownTimeout`. */
const END_TIMEOUT = 8000;

/** Workers may be gone before what they started is. Whoever waits for vitest wants to find nothing of it. */
async function leaveNothing(vitest: Vitest, runDirectory: string): Promise<void> {
  const { waitForRun } = await import('../process/index.ts');
  for (const what of await waitForRun(runDirectory, END_TIMEOUT)) {
    vitest.logger.warn(`petri: this is still there, and being ended: ${what}`);
  }
}

/** Reporters that write for people. Beside any other, such as `json`, a summary of ours would spoil the output. */
const humanReporters = new Set(['default', 'verbose', 'dot', 'tree', 'agent', 'minimal']);

/** vitest joins the filters of its own `--tags-filter` and ours by `and`. */
function filterByIsolation(project: TestProject, isolation: readonly IsolationType[]): void {
  if (isolation.length === 0) return;
  const expression = isolation.map(isolationTag).join(' or ');
  for (const config of [project.config, project.vitest.config]) {
    if (config.tagsFilter?.includes(expression) === true) continue;
    config.tagsFilter = [...(config.tagsFilter ?? []), expression];
  }
}

/**
 * Where machines take minutes to boot, the test files of a worker share what it has booted, and there are as many workers as there
 * may be machines.
 */
function keepPace(project: TestProject, pace: BackendPace): void {
  for (const config of [project.config, project.vitest.config]) {
    config.isolate = false;
    // Undefined where the user has set none, though its type does not say so.
    const chosen = Number.isFinite(config.maxWorkers) ? config.maxWorkers : pace.parallel;
    config.maxWorkers = Math.min(chosen, pace.parallel);
  }
  project.config.testTimeout = stretched(project.config.testTimeout, pace);
}

/** vitest prints a start-up error with `console.error`. For what the user mistyped, our message says all that helps. */
function withoutStack(error: unknown): unknown {
  if (error instanceof PetriError) {
    Object.defineProperty(error, inspect.custom, { value: () => `petri: ${error.message}`, enumerable: false });
  }
  return error;
}
