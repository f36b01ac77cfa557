import type { Backend, ProbeResult } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { shared } from '../shared.ts';
import { type BackendEntry, builtinBackends } from '../../backends/index.ts';

/** Loads a user's backend: returns the backend, or a module that exports it as the default or as `backend`. */
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

/** Backends of the user's configuration. */
const registered = shared<Record<string, BackendLoader>>('user-backends', () => ({}));
const loaded = shared('loaded-backends', () => new Set<Backend>());

/** Registers the backends of a configuration in this process. Several configurations add up. */
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

/** Names of all backends, the user's first: they replace built-in ones with the same name. */
export function backendNames(): string[] {
  return [...new Set([...Object.keys(registered), ...Object.keys(builtinBackends)])];
}

/** Whether the backend can be loaded only through the user's configuration. */
export function isUserBackend(name: string): boolean {
  return Object.hasOwn(registered, name);
}

function builtin(name: string): BackendEntry | undefined {
  return Object.hasOwn(builtinBackends, name) ? builtinBackends[name] : undefined;
}

/**
 * @throws PetriError `unknown-backend` for a name that does not exist, `invalid-config` if the user's module contains
 * no
 *   backend or cannot be loaded
 */
export async function loadBackend(name: string): Promise<Backend> {
  const backend = await load(name);
  loaded.add(backend);
  return backend;
}

/**
 * Closes the backends that this process loaded, at its end. An error of one does not affect the others. Never rejects.
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

/** A backend as shown by `petri doctor` and error messages. */
export interface BackendReport {
  readonly name: string;
  readonly description: string;
  readonly probe: ProbeResult;
}

/** Probes every backend. Never throws: one that cannot be loaded is not available. */
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

/** @throws PetriError `backend-fault` for a probe that fails or returns an invalid result */
async function probe(name: string, backend: Backend): Promise<ProbeResult> {
  // Workers use the result of the main process: they do not load the checker.
  const { checkedProbe } = await import('./check-probe.ts');
  return await checkedProbe(name, backend);
}

/**
 * Loads a backend and probes whether it can run here.
 *
 * @throws PetriError as {@link loadBackend}, and `backend-unavailable` if it cannot
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

/** The options that choose an available backend, for a remedy. */
async function availableOptions(except: string): Promise<string> {
  const others = backendNames().filter((name) => name !== except);
  const available = (await surveyBackends(others)).filter((report) => report.probe.available);
  return available.map((report) => `--backend=${report.name}`).join(', ') || 'no other backend';
}
