import type { Backend, BackendPace, ProbeResult, IsolationType } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { shared } from '../shared.ts';

/** What a run decides for its tests. */
export interface TestEnvironment {
  selectedBackend(): Promise<{ readonly backend: Backend; readonly probe: ProbeResult }>;
  /** The isolation types whose tests run; none or an empty list for all. */
  selectedIsolation(): readonly IsolationType[] | undefined;
  /** How long things take on the backend, where it is much longer than in this process. */
  pace?(): BackendPace | undefined;
  /** Absolute path of the folder for everything that the run keeps. */
  runDirectory(): string;
  /**
   * Whether the vitest configuration declares our tags: vitest refuses a test with an undeclared tag.
   *
   * @default true
   */
  readonly tags?: boolean;
  /** Backends for each of which it is to be said whether it runs a test, where tests are only listed. */
  readonly survey?: readonly SurveyedBackend[];
}

/** A backend as far as it decides which tests it runs; of one that is not available, the name is enough. */
export interface SurveyedBackend {
  /** By which it is chosen; its own may be another. */
  readonly name: string;
  readonly backend: Pick<Backend, 'name' | 'refuses'>;
  readonly probe: ProbeResult;
}

const own = shared<{ environment?: TestEnvironment }>('test-environment', () => ({}));

/** Called by the setup file, before tests are collected. */
export function setTestEnvironment(environment: TestEnvironment): void {
  own.environment = environment;
}

export function hasTestEnvironment(): boolean {
  return own.environment !== undefined;
}

/** @throws PetriError `invalid-config` in a run without our setup file */
export function testEnvironment(): TestEnvironment {
  if (own.environment !== undefined) return own.environment;
  throw new PetriError('petriTest does not know which backend to use: vitest runs without the setup file of petri-vm', {
    code: 'invalid-config',
    step: 'config',
    remedy: "make vitest.config.ts export definePetriConfig(…) of 'petri-vm/config', or run `npx petri test`",
  });
}
