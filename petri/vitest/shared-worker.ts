import { afterAll, vi } from 'vitest';
import { fileURLToPath } from 'node:url';

import { packageRoot } from '../package-root.ts';

/** Ours, which hold what a worker is to keep: the engine, the selected backend, its machines. */
const kept = ['petri', 'backends', 'dist'].map((folder) => fileURLToPath(new URL(`${folder}/`, packageRoot)));

/**
 * To be called where files share a worker because we chose so, before a file is collected: what the file does to its
 * modules, to mocks and timers, to the environment variables and to the working directory is undone at its end. What it
 * leaves on `globalThis`, and in packages, is not.
 */
export function leaveNothingBehind(): void {
  const environment = { ...process.env };
  const directory = process.cwd();
  // Registered before any hook of the file, so that it is the last to run.
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
 * As `vi.resetModules` and `isolate` do, but for our own modules. Where vitest keeps them is not in its public API;
 * should it move, all are forgotten, which costs time alone.
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
