import { fileURLToPath } from 'node:url';

import type { ViteUserConfig } from 'vitest/config';

import { featureTagDefinition, tagDefinitions } from '../run/index.ts';
import { declareFeatures } from '../contract/index.ts';
import { registerUserBackends } from './backends.ts';
import { checkConfig } from './check-config.ts';
import type { PetriConfig } from './petri-config.ts';
import { petriPlugin } from './plugin.ts';

export type { BackendLoader } from './backends.ts';
export type { PetriConfig } from './petri-config.ts';

/**
 * Makes a vitest configuration in which `petriTest` works: our setup file, tags, options and summary, added to your
 * own.
 *
 * ```ts
 * // vitest.config.ts
 * import { definePetriConfig } from 'petri-vm/config';
 * export default definePetriConfig({ test: { include: ['tests/**\/*.test.ts'] } });
 * ```
 *
 * @throws PetriError `invalid-option`; `invalid-config` for a backend name that could not be typed
 */
export function definePetriConfig(config: PetriConfig = {}): ViteUserConfig {
  checkConfig(config);
  const { backends = {}, features = {}, backend, isolation, strictSkips, ...vite } = config;
  registerUserBackends(backends);
  declareFeatures(features);
  const test = vite.test ?? {};
  return {
    ...vite,
    plugins: [petriPlugin({ backend, isolation, strictSkips, features }), ...(vite.plugins ?? [])],
    test: {
      ...test,
      setupFiles: [setupFile(), ...[test.setupFiles ?? []].flat()],
      tags: [...tagDefinitions, ...Object.keys(features).map(featureTagDefinition), ...(test.tags ?? [])],
    },
  };
}

/** A sibling file: TypeScript in the repository, JavaScript in the package. */
function setupFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`setup.${extension}`, import.meta.url));
}
