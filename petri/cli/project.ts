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

/** vite's option `configLoader` for the configuration of a project. */
export interface ConfigChoice {
  /** Whether it is our configuration, because the project has none. */
  readonly config?: string;
  readonly configLoader?: 'native' | 'runner';
}

/**
 * vite bundles a configuration and writes the bundle into the nearest `node_modules` or next to it. Our configuration
 * can be imported by Node directly; that of a read-only project is evaluated in memory.
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

/** The configuration of `petri test` and `petri list` for a project without one. */
function defaultConfig(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../vitest/default-config.${extension}`, import.meta.url));
}

/**
 * Folder of the project's vitest, or of ours if the project has none.
 *
 * @throws PetriError `tool-missing`
 */
export function vitestFolder(cwd: string): string {
  for (const from of [join(cwd, 'package.json'), fileURLToPath(import.meta.url)]) {
    try {
      return dirname(createRequire(from).resolve('vitest/package.json'));
    } catch {
      // Not found from there; try the next place.
    }
  }
  throw new PetriError('vitest is not installed', {
    code: 'tool-missing',
    step: 'config',
    remedy: 'npm install --save-dev vitest@4',
  });
}

/**
 * Loads the project's configuration, with the user's backends, and passes a vitest that runs nothing by itself to
 * `use`, after which it is closed.
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
