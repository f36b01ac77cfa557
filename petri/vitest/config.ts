import { fileURLToPath } from 'node:url';

import type { ViteUserConfig } from 'vitest/config';

import { featureTagDefinition, tagDefinitions } from '../vm-test/tags.ts';
import { declareFeatures } from '../contract/features.ts';
import type { IsolationType } from '../contract/isolation.ts';
import { type BackendLoader, registerUserBackends } from './backends.ts';
import { checkConfig } from './check-config.ts';
import { petriPlugin } from './plugin.ts';

export type { BackendLoader } from './backends.ts';

/** A vitest configuration with our own options. */
export interface PetriConfig extends ViteUserConfig {
  /** Backends of your own, by the name that `--backend` takes: `{ mine: () => import('./mine.ts') }`. */
  readonly backends?: Readonly<Record<string, BackendLoader>>;
  /**
   * The backend to use where neither the command line nor `PETRI_BACKEND` names one.
   * @default 'sim'
   */
  readonly backend?: string;
  /**
   * The isolation types whose tests run where neither `--isolation` nor `PETRI_ISOLATION` names any.
   * @default [] all of them
   */
  readonly isolation?: readonly IsolationType[];
  /**
   * Whether a run fails in which a VM test was skipped that its backend should run: the host lacks something that the backend needs for
   * its isolation type, or the test skipped itself. A test that the backend cannot run by its nature may be skipped.
   * `--strict-skips` and `PETRI_STRICT_SKIPS` go before it.
   *
   * @default false
   */
  readonly strictSkips?: boolean;
  /**
   * Features of your own backends beside the built-in ones, by the name that `requires` takes, with what they mean:
   * `{ 'acme.trace': 'the instruction trace can be read' }`.
   */
  readonly features?: Readonly<Record<string, string>>;
}

/**
 * Makes a vitest configuration in which `petriTest` works: our setup file, tags, options and summary, added to your own.
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

/** Beside this file, as TypeScript in the repository and as JavaScript in the package. */
function setupFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`setup.${extension}`, import.meta.url));
}
