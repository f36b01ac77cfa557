import type { ViteUserConfig } from 'vitest/config';

import type { IsolationType } from '../contract/index.ts';
import type { BackendLoader } from './backends.ts';

/** A vitest configuration with our own options. */
export interface PetriConfig extends ViteUserConfig {
  /** Backends of your own, by the name that `--backend` takes: `{ mine: () => import('./mine.ts') }`. */
  readonly backends?: Readonly<Record<string, BackendLoader>>;
  /**
   * The backend to use unless the command line or `PETRI_BACKEND` names one.
   * @default 'sim'
   */
  readonly backend?: string;
  /**
   * The isolation types whose tests run unless `--isolation` or `PETRI_ISOLATION` names any.
   * @default [] all of them
   */
  readonly isolation?: readonly IsolationType[];
  /**
   * Whether a run fails if a VM test was skipped that its backend should run: the host lacks something that the backend
   * needs for its isolation type, or the test skipped itself. A test that the backend can never run may be skipped.
   * `--strict-skips` and `PETRI_STRICT_SKIPS` take precedence.
   *
   * @default false
   */
  readonly strictSkips?: boolean;
  /**
   * Features of your own backends in addition to the built-in ones, by the name for `requires`, with a description:
   * `{ 'acme.trace': 'the instruction trace can be read' }`.
   */
  readonly features?: Readonly<Record<string, string>>;
}
