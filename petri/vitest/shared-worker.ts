import { afterAll, vi } from 'vitest';
import { fileURLToPath } from 'node:url';

import { packageRoot } from '../package-root.ts';

/** Our modules, whose state a worker must keep: the engine, the selected backend, its machines. */
const kept = ['petri', 'backends', 'dist'].map((folder) => fileURLToPath(new URL(`${folder}/`, packageRoot)));

/**
 * To be called before a file is collected, if files share a worker because we chose so: undoes at its end what the file
 * does to its modules, mocks, timers, environment variables and working directory, but not to `globalThis` and
 * packages.
 */
export function leaveNothingBehind(): void {
  const environment = { ...process.env };
  const directory = process.cwd();
  // Registered before any hook of the file, so that it runs last.
  afterAll(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
    for (const name of Object.keys(process.env)) if (!(name in environment)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, environment);
    if (process.cwd() !== directory) process.chdir(directory);
    forgetModules();
  });
}

interface ModuleNode {
  promise?: unknown;
  exports?: unknown;
  evaluated?: boolean;
  readonly importers: Set<unknown>;
}

/**
 * Like `vi.resetModules` and `isolate`, except for our own modules. Where vitest keeps modules is not in its public
 * API; if that changes, all are reset, which only costs time.
 */
function forgetModules(): void {
  const worker: unknown = Reflect.get(globalThis, '__vitest_worker__');
  const evaluated: unknown =
    typeof worker === 'object' && worker !== null ? Reflect.get(worker, 'evaluatedModules') : undefined;
  const byId: unknown =
    typeof evaluated === 'object' && evaluated !== null ? Reflect.get(evaluated, 'idToModuleMap') : undefined;
  if (!(byId instanceof Map)) {
    vi.resetModules();
    return;
  }
  for (const [id, node] of byId as Map<string, ModuleNode>) {
    if (isVitest(id) || kept.some((folder) => id.startsWith(folder))) continue;
    node.promise = undefined;
    node.exports = undefined;
    node.evaluated = false;
    node.importers.clear();
  }
}

function isVitest(id: string): boolean {
  return /\/vitest\/dist\/|vitest-virtual-\w+\/dist|@vitest\/dist/.test(id);
}
