import type { Backend, ProbeResult } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { shared } from '../shared.ts';
import { type BackendEntry, builtinBackends } from '../../backends/index.ts';

/**
 * Gives a backend of the user's own: the backend, or a module that has it as its default export or as `backend`.
 */
export type BackendLoader = () => Promise<
  | Backend
  | {
      /** The backend, as the default export. */
      readonly default: Backend;
    }
  | {
      /** The backend, as an export of this name. */
      readonly backend: Backend;
    }
>;

/** Those of the user's configuration. */
const registered = shared<Record<string, BackendLoader>>('user-backends', () => ({}));
const loaded = shared('loaded-backends', () => new Set<Backend>());

/** Makes the backends of a configuration known to this process. A second configuration adds to the first. */
export function registerUserBackends(backends: Readonly<Record<string, BackendLoader>>): void {
  for (const name of Object.keys(backends)) {
    if (/^[a-z][a-z0-9-]*$/i.test(name)) continue;
    throw new PetriError(`'${name}' cannot be the name of a backend`, {
      code: 'invalid-config',
      step: 'config',
      remedy: 'use letters, digits and hyphens',
    });
  }
  Object.assign(registered, backends);
}

/** Names of all backends, those of the user first: they win over built-in ones of the same name. */
export function backendNames(): string[] {
  return [...new Set([...Object.keys(registered), ...Object.keys(builtinBackends)])];
}

/** Whether only the user's configuration knows how to load this backend. */
export function isUserBackend(name: string): boolean {
  return Object.hasOwn(registered, name);
}

function builtin(name: string): BackendEntry | undefined {
  return Object.hasOwn(builtinBackends, name) ? builtinBackends[name] : undefined;
}

/**
 * @throws PetriError `unknown-backend` for a name that does not exist, `invalid-config` when the user's module has no
 *   backend in it or cannot be loaded
 */
export async function loadBackend(name: string): Promise<Backend> {
  const backend = await load(name);
  loaded.add(backend);
  return backend;
}

/**
 * Ends what the backends that this process loaded keep, at its end. A backend that fails to keeps no other from it.
 * Never rejects.
 */
export async function closeLoadedBackends(): Promise<void> {
  await Promise.allSettled([...loaded].map(async (backend) => await backend.close?.()));
}

async function load(name: string): Promise<Backend> {
  const own = registered[name];
  if (isUserBackend(name) && own !== undefined) return await loadUserBackend(name, own);
  const entry = builtin(name);
  if (entry === undefined) throw unknownBackend(name);
  return await entry.load();
}

async function loadUserBackend(name: string, load: BackendLoader): Promise<Backend> {
  let given: unknown;
  try {
    given = await load();
  } catch (cause) {
    if (cause instanceof PetriError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PetriError(`the backend '${name}' of the configuration cannot be loaded: ${reason}`, {
      code: 'invalid-config',
      step: 'config',
      remedy: 'check what its function in `definePetriConfig({ backends })` imports',
      cause,
    });
  }
  for (const candidate of [given, member(given, 'default'), member(given, 'backend')]) {
    if (isBackend(candidate)) return candidate;
  }
  throw new PetriError(`the backend '${name}' of the configuration is not a Backend`, {
    code: 'invalid-config',
    step: 'config',
    remedy: 'export an object with name, description, probe() and launch() as default or as `backend`',
  });
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, key) as unknown) : undefined;
}

function isBackend(value: unknown): value is Backend {
  return (
    typeof member(value, 'name') === 'string' &&
    typeof member(value, 'probe') === 'function' &&
    typeof member(value, 'launch') === 'function'
  );
}

/** A backend as `petri doctor` and error messages show it. */
export interface BackendReport {
  readonly name: string;
  readonly description: string;
  readonly probe: ProbeResult;
}

/** Probes every backend that has a name. Never throws: what cannot be loaded is not available. */
export async function surveyBackends(names: readonly string[] = backendNames()): Promise<BackendReport[]> {
  return await Promise.all(names.map(surveyBackend));
}

async function surveyBackend(name: string): Promise<BackendReport> {
  try {
    const backend = await loadBackend(name);
    return { name, description: backend.description, probe: await probe(name, backend) };
  } catch (error) {
    const what = error instanceof PetriError ? (error.message.split('\n')[0] ?? '') : String(error);
    const remedy = error instanceof PetriError ? (error.remedy ?? '') : '';
    return {
      name,
      description: builtin(name)?.description ?? '',
      probe: { available: false, missing: [{ what, remedy }] },
    };
  }
}

/** @throws PetriError `backend-fault` for a probe that fails or gives something else */
async function probe(name: string, backend: Backend): Promise<ProbeResult> {
  // Workers have the result of the main process: they load no checker.
  const { checkedProbe } = await import('./check-probe.ts');
  return await checkedProbe(name, backend);
}

/**
 * Loads a backend and asks it whether it can run here.
 *
 * @throws PetriError as {@link loadBackend}, and `backend-unavailable` when the probe says no
 */
export async function requireBackend(
  name: string,
): Promise<{ readonly backend: Backend; readonly probe: ProbeResult & { readonly available: true } }> {
  const backend = await loadBackend(name);
  const result = await probe(name, backend);
  if (result.available) return { backend, probe: result };
  throw new PetriError(`the backend '${name}' cannot run here`, {
    code: 'backend-unavailable',
    step: 'probe',
    details: result.missing.flatMap(({ what, remedy }) => [`missing: ${what}`, `  to get it: ${remedy}`]),
    remedy: `install what is missing, or use what runs here: ${await availableOptions(name)}`,
  });
}

function unknownBackend(name: string): PetriError {
  return new PetriError(`there is no backend '${name}'; there are`, {
    code: 'unknown-backend',
    step: 'options',
    details: backendNames().map((known) => `  ${known.padEnd(10)} ${describe(known)}`),
    remedy: `choose one of them, or add your own with definePetriConfig({ backends: { ${name}: … } })`,
  });
}

function describe(name: string): string {
  return builtin(name)?.description ?? 'from your configuration';
}

/** The options that choose a backend that runs here, for a remedy. */
async function availableOptions(except: string): Promise<string> {
  const others = backendNames().filter((name) => name !== except);
  const available = (await surveyBackends(others)).filter((report) => report.probe.available);
  return available.map((report) => `--backend=${report.name}`).join(', ') || 'no other backend';
}
