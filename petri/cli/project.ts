import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Vitest } from 'vitest/node';

import { PetriError } from '../errors.ts';
import { whyUnusable } from '../homes/index.ts';
import { inspectingPlugin } from '../vitest/index.ts';

/** The configuration that vitest would find in this folder. Absolute. */
function configFile(cwd: string): string | undefined {
  return ['vitest', 'vite']
    .flatMap((name) => ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((ext) => resolve(cwd, `${name}.config.${ext}`)))
    .find((path) => existsSync(path));
}

/** Whether vitest would find a configuration in this folder. */
export function hasConfig(cwd: string): boolean {
  return configFile(cwd) !== undefined;
}

/** How vite is to load the configuration of a project, as its option `configLoader` says it. */
export interface ConfigChoice {
  /** Of ours, where the project has none. */
  readonly config?: string;
  readonly configLoader?: 'native' | 'runner';
}

/**
 * vite bundles a configuration and writes the bundle into the `node_modules` above it or beside it. Ours is a module
 * that Node imports as it is; that of a project that cannot be written to is run from memory.
 */
export function chooseConfig(cwd: string): ConfigChoice {
  const own = configFile(cwd);
  if (own === undefined) return { config: defaultConfig(), configLoader: 'native' };
  return isBundleWritable(dirname(own)) ? {} : { configLoader: 'runner' };
}

function isBundleWritable(folder: string): boolean {
  for (let above = folder; ; above = dirname(above)) {
    const modules = join(above, 'node_modules');
    if (existsSync(modules)) return whyUnusable(join(modules, '.vite-temp')) === undefined;
    if (above === dirname(above)) return whyUnusable(folder) === undefined;
  }
}

/** The configuration of `petri test` and `petri list` in a project that has none. */
function defaultConfig(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../vitest/default-config.${extension}`, import.meta.url));
}

/**
 * Folder of the vitest that the project has; of ours, where the project has none of its own.
 *
 * @throws PetriError `tool-missing`
 */
export function vitestFolder(cwd: string): string {
  for (const from of [join(cwd, 'package.json'), fileURLToPath(import.meta.url)]) {
    try {
      return dirname(createRequire(from).resolve('vitest/package.json'));
    } catch {
      // Not reachable from there; the next place may have it.
    }
  }
  throw new PetriError('vitest is not installed', {
    code: 'tool-missing',
    step: 'config',
    remedy: 'npm install --save-dev vitest@4',
  });
}

/**
 * Loads the project's configuration, and with it the user's backends, and hands over a vitest that runs nothing by
 * itself. It is closed when `use` is done.
 */
export async function withProject<T>(cwd: string, use: (vitest: Vitest) => Promise<T>): Promise<T> {
  const entry = join(vitestFolder(cwd), 'dist', 'node.js');
  const { createVitest } = (await import(pathToFileURL(entry).href)) as typeof import('vitest/node');
  const vitest = await createVitest(
    'test',
    { root: cwd, watch: false, run: true, reporters: [{}], ...chooseConfig(cwd) },
    { plugins: [{ name: inspectingPlugin }] },
  );
  try {
    return await use(vitest);
  } finally {
    await vitest.close();
  }
}
