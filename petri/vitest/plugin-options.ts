import type { Plugin } from 'vitest/config';
import type { TestProject } from 'vitest/node';

import type { IsolationType } from '../contract/index.ts';

export const pluginName = 'petri-vm';

/** Configuration of the plugin: the user's file, which the command line and the environment may override. */
export interface PluginOptions {
  readonly backend: string | undefined;
  readonly isolation: readonly IsolationType[] | undefined;
  readonly strictSkips: boolean | undefined;
  readonly features: Readonly<Record<string, string>>;
}

/** Our plugin, with its data for other instances. */
export interface PetriPlugin extends Plugin {
  readonly api: { readonly petri: PluginOptions };
}

/** Our plugins in a project: a project that extends a configuration made with `definePetriConfig` may have two. */
export function petriPlugins(project: TestProject): PetriPlugin[] {
  return project.vite.config.plugins.filter(isOurs);
}

function isOurs(plugin: Plugin): plugin is PetriPlugin {
  return plugin.name === pluginName;
}

/** The configuration of a project; its own values take precedence over those that it extends. */
export function configuredOptions(project: TestProject): PluginOptions {
  const all = petriPlugins(project).map(({ api }) => api.petri);
  return {
    backend: all.findLast(({ backend }) => backend !== undefined)?.backend,
    isolation: all.findLast(({ isolation }) => isolation !== undefined)?.isolation,
    features: Object.assign({}, ...all.map(({ features }) => features)) as Readonly<Record<string, string>>,
    strictSkips: all.findLast(({ strictSkips }) => strictSkips !== undefined)?.strictSkips,
  };
}
