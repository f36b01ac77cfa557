import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { PetriError } from '../../../petri/errors.ts';
import { ask } from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';
import { configOverlays } from './overlays.ts';
import { configName, shrinkwrapEnvironment } from './shrinkwrap-config.ts';

/** Components in the output of `shrinkwrap process --action=merge`: repositories by name, '.' for the only one. */
const mergedSchema = z.object({
  image: z.string().nullish(),
  build: z.record(z.string(), z.object({ repo: z.record(z.string(), z.unknown()).default({}) })),
});

/**
 * Checks that the configuration has all components that the lock pins: for an unknown one, shrinkwrap would add a
 * repository to a component, or a component without commands to the build, and the pin would have no effect.
 *
 * @throws PetriError `lock-file-invalid`, `tool-failed`
 */
export async function expectComponents(command: string, layout: StackLayout, lock: LockFile): Promise<void> {
  const { config } = lock.shrinkwrap;
  const { components: known } = await mergedConfig(command, layout, lock);
  const wrong = Object.entries(lock.sources).filter(
    ([, { component }]) => component !== undefined && !known.has(component),
  );
  if (wrong.length === 0) return;
  const names = wrong.map(([name, { component }]) => `'${component ?? ''}' (source ${name})`).join(', ');
  throw new PetriError(`the lock pins components that ${config} does not have: ${names}`, {
    code: 'lock-file-invalid',
    step: 'install',
    remedy: `it has ${[...known].sort().join(', ')}`,
  });
}

/** The parts of shrinkwrap's merged configuration that we need. */
export interface MergedConfig {
  /** Names as in a lock: 'edk2', or 'kvmtool/dtc' if a component has several repositories. */
  readonly components: ReadonlySet<string>;
  /** The container image that the configuration asks for. */
  readonly image: string | undefined;
}

/** Queries shrinkwrap for the configuration. @throws PetriError `tool-failed` */
export async function mergedConfig(command: string, layout: StackLayout, lock: LockFile): Promise<MergedConfig> {
  const overlays = configOverlays(layout, lock).map((overlay) => `--overlay=${overlay}`);
  const { config } = lock.shrinkwrap;
  const env = { ...process.env, ...shrinkwrapEnvironment(layout) };
  try {
    const merged = await ask([command, 'process', config, '--action=merge', ...overlays], { cwd: layout.root, env });
    const { build, image } = mergedSchema.parse(parseDocument(merged).toJS());
    return { components: componentsOf(build), image: image ?? undefined };
  } catch (error) {
    throw new PetriError(`shrinkwrap does not report the components of ${config}: ${String(error)}`, {
      code: 'tool-failed',
      step: 'install',
      remedy: `run: ${command} process ${config} --action=merge`,
      cause: error,
    });
  }
}

function componentsOf(build: z.infer<typeof mergedSchema>['build']): ReadonlySet<string> {
  return new Set(
    Object.entries(build).flatMap(([component, { repo }]) =>
      Object.keys(repo).map((place) => (place === '.' ? component : `${component}/${place}`)),
    ),
  );
}

/**
 * Compares shrinkwrap's checkouts with the pins of the lock.
 *
 * @throws PetriError `tool-failed`
 */
export async function expectPinned(layout: StackLayout, lock: LockFile): Promise<void> {
  const folder = join(layout.build, 'source', configName(lock));
  for (const [name, { component, revision }] of Object.entries(lock.sources)) {
    if (component === undefined || revision === null || !existsSync(join(folder, component, '.git'))) continue;
    const head = await ask(['git', '-C', join(folder, component), 'rev-parse', 'HEAD']);
    if (head === revision) continue;
    throw new PetriError(`shrinkwrap built '${component}' from ${head}; the lock pins ${revision} for ${name}`, {
      code: 'tool-failed',
      step: 'install',
      remedy: `remove ${join(folder, component)} and give the same command again`,
    });
  }
}
