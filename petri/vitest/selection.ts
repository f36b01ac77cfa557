import { inject } from 'vitest';

import type { Backend, BackendPace, ProbeResult, IsolationType } from '../contract/index.ts';
import type { SurveyedBackend } from '../run/index.ts';
import { runsHome } from '../homes/index.ts';
import { belongsTo } from '../run-identity.ts';
import { loadBackend, requireBackend } from './backends.ts';
import { resolveOptions } from './options.ts';
import type { ProvidedSelection, ProvidedSurvey } from './provided.ts';
import { makeRunDirectory, runDirectoryPath } from './run-directory.ts';

/** The backend of a run and its capabilities on this host. */
export interface SelectedBackend {
  readonly backend: Backend;
  readonly probe: ProbeResult & { readonly available: true };
}

let selected: Promise<SelectedBackend> | undefined;
let directory: string | undefined;

/**
 * The backend of this run's tests; loaded once per worker. The host was probed before the first test began.
 *
 * @throws PetriError if it cannot be loaded
 */
export function selectedBackend(): Promise<SelectedBackend> {
  selected ??= select();
  return selected;
}

async function select(): Promise<SelectedBackend> {
  const provided = inject('petri');
  const chosen =
    provided === undefined
      ? await requireBackend(chosenHere().backend)
      : { backend: await loadBackend(provided.backend), probe: provided.probe };
  if (provided !== undefined) belongsTo({ directory: provided.runDirectory, runner: provided.runner });
  await chosen.backend.prepare?.();
  if (chosen.backend.close !== undefined) atWorkersEnd(chosen.backend.close.bind(chosen.backend));
  return chosen;
}

/**
 * How vitest notifies a worker of its end. It is not in vitest's public API: without it, and if the worker is killed,
 * the reaper cleans up.
 */
function atWorkersEnd(close: () => Promise<void>): void {
  const worker: unknown = Reflect.get(globalThis, '__vitest_worker__');
  const onCleanup: unknown =
    typeof worker === 'object' && worker !== null ? Reflect.get(worker, 'onCleanup') : undefined;
  if (typeof onCleanup === 'function') Reflect.apply(onCleanup, worker, [close]);
}

/** The isolation types whose tests run; empty for all of them. */
export function selectedIsolation(): readonly IsolationType[] {
  return (inject('petri') ?? inject('petriSurvey') ?? chosenHere()).isolation;
}

/** The backends for which tests are only listed; unavailable ones are not loaded. */
export async function surveyed({ backends }: ProvidedSurvey): Promise<SurveyedBackend[]> {
  return await Promise.all(
    backends.map(async ({ name, probe }) => ({
      name,
      backend: probe.available ? await loadBackend(name) : { name },
      probe,
    })),
  );
}

/** Available without loading the backend: the time-outs of tests are set when they are collected. */
export function pace(): BackendPace | undefined {
  return inject('petri')?.probe.pace;
}

/** Absolute path of this run's folder, which exists; see `runDirectoryPath`. @throws PetriError `folder-unusable` */
export function runDirectory(): string {
  if (directory === undefined) {
    directory =
      inject('petri')?.runDirectory ?? runDirectoryPath(runsHome(process.cwd()).path, new Date(), process.pid);
    makeRunDirectory(directory);
  }
  return directory;
}

/** For a project with our setup file but without our configuration: only the environment counts. */
function chosenHere(): Pick<ProvidedSelection, 'backend' | 'isolation'> {
  return resolveOptions([], process.env, {});
}
