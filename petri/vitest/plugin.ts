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

/** The vitest side of the framework in the main process: chooses the backend, checks it, informs the workers. */
export function petriPlugin(options: PluginOptions): Plugin {
  let configFile: string | undefined;

  const plugin: PetriPlugin = {
    name: pluginName,
    api: { petri: options },
    // What VMs write while tests run is no reason to run tests again.
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
    // vitest waits for what the hook returns, though its type does not say so.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    async configureVitest({ vitest, project, injectTestProjects }) {
      markConfigurationSeen();
      project.provide('petriConfigured', true);
      project.provide('petriFeatures', configuredOptions(project).features);
      // A project written in the configuration of another has no file of its own.
      configFile ??= vitest.vite.config.configFile;
      // A project that extends the configuration has its plugin beside its own.
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

/** Patterns of what runs write to. */
function written(root = process.cwd()): string[] {
  const runs = process.env[runsVariable] ?? '';
  return ['**/.petri/**', ...(runs === '' ? [] : [`${resolve(root, runs)}/**`])];
}

function filterByIsolation(project: TestProject, isolation: readonly IsolationType[]): void {
  if (isolation.length === 0) return;
  project.config.tagsFilter = [...(project.config.tagsFilter ?? []), isolationFilter(isolation)];
}

/**
 * Where machines take minutes to boot, the test files of a worker share what it has booted, and there are as many
 * workers as there may be machines.
 */
function keepPace(project: TestProject, pace: BackendPace): void {
  const { config } = project;
  if (config.isolate) {
    config.isolate = false;
    project.provide('petriShared', true);
  }
  // Undefined where the user has set none, though its type does not say so.
  const chosen = Number.isFinite(config.maxWorkers) ? config.maxWorkers : pace.parallel;
  config.maxWorkers = Math.min(chosen, pace.parallel);
  separateGroups(project.vitest.projects);
  config.testTimeout = stretched(config.testTimeout, pace);
}

/** vitest prints a start-up error with `console.error`. For what the user mistyped, our message says all that helps. */
function withoutStack(error: unknown): unknown {
  if (error instanceof PetriError) {
    Object.defineProperty(error, inspect.custom, { value: () => `petri: ${error.message}`, enumerable: false });
  }
  return error;
}
