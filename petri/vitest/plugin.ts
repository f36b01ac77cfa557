import { resolve } from 'node:path';
import { inspect } from 'node:util';

import type { Plugin } from 'vitest/config';
import type { TestProject } from 'vitest/node';

import { PetriError } from '../errors.ts';
import type { BackendPace, IsolationType } from '../contract/index.ts';
import { runsVariable } from '../homes/index.ts';
import { stretched } from '../run/index.ts';
import { nameForBlob } from './blob-names.ts';
import { separateGroups } from '../report/index.ts';
import { prepareMerge } from './merge.ts';
import { configuredOptions, type PetriPlugin, petriPlugins, pluginName, type PluginOptions } from './plugin-options.ts';
import { select } from './project-selection.ts';
import { isolationFilter } from './run-check.ts';
import { markConfigurationSeen } from './seen.ts';
import { userConfigModule } from './user-config.ts';
import { applyVmDefaults, vmDefaults } from './vm-defaults.ts';

/** The vitest side of the framework in the main process: chooses and checks the backend, and informs the workers. */
export function petriPlugin(options: PluginOptions): Plugin {
  let configFile: string | undefined;

  const plugin: PetriPlugin = {
    name: pluginName,
    api: { petri: options },
    // Files that VMs write while tests run must not trigger another run.
    config: (config) => ({ server: { watch: { ignored: written(config.root) } }, ...vmDefaults(config) }),
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
    // vitest awaits the result of the hook, although its type declares none.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    async configureVitest({ vitest, project, injectTestProjects }) {
      markConfigurationSeen();
      project.provide('petriConfigured', true);
      project.provide('petriFeatures', configuredOptions(project).features);
      // An inline project has no configuration file of its own.
      configFile ??= vitest.vite.config.configFile;
      // A project that extends the configuration has two instances of our plugin.
      if (petriPlugins(project).at(-1) !== plugin) return;
      const readable = (error: unknown): never => {
        throw withoutStack(error);
      };
      if (vitest.config.mergeReports) await prepareMerge(vitest, injectTestProjects).catch(readable);
      const chosen = await select(vitest, project).catch(readable);
      if (chosen === undefined) return;
      nameForBlob(project, chosen.backend, chosen.isolation);
      project.provide('petri', chosen);
      filterByIsolation(project, chosen.isolation);
      await applyVmDefaults(project, chosen.probe);
      if (chosen.probe.pace !== undefined) keepPace(project, chosen.probe.pace);
    },
  };
  return plugin;
}

/** Patterns of files that runs write. */
function written(root = process.cwd()): string[] {
  const runs = process.env[runsVariable] ?? '';
  return ['**/.petri/**', ...(runs === '' ? [] : [`${resolve(root, runs)}/**`])];
}

function filterByIsolation(project: TestProject, isolation: readonly IsolationType[]): void {
  if (isolation.length === 0) return;
  project.config.tagsFilter = [...(project.config.tagsFilter ?? []), isolationFilter(isolation)];
}

/**
 * If machines take minutes to boot, the test files of a worker share booted machines, and there are as many workers as
 * machines are allowed.
 */
function keepPace(project: TestProject, pace: BackendPace): void {
  const { config } = project;
  if (config.isolate) {
    config.isolate = false;
    project.provide('petriShared', true);
  }
  // Undefined if the user has not set it, although the type excludes that.
  const chosen = Number.isFinite(config.maxWorkers) ? config.maxWorkers : pace.parallel;
  config.maxWorkers = Math.min(chosen, pace.parallel);
  separateGroups(project.vitest.projects);
  config.testTimeout = stretched(config.testTimeout, pace);
}

/** vitest prints a start-up error with `console.error`. For user errors, our message is sufficient without a stack. */
function withoutStack(error: unknown): unknown {
  if (error instanceof PetriError) {
    Object.defineProperty(error, inspect.custom, { value: () => `petri: ${error.message}`, enumerable: false });
  }
  return error;
}
