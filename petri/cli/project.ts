import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import type { Vitest } from 'vitest/node';

import { PetriError } from '../errors.ts';
import { inspectingPlugin } from '../vitest/project-selection.ts';

/** Whether vitest would find a configuration in this folder. */
export function hasConfig(cwd: string): boolean {
  return ['vitest', 'vite'].some((name) =>
    ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].some((extension) =>
      existsSync(resolve(cwd, `${name}.config.${extension}`)),
    ),
  );
}

/** The configuration of `petri test` and `petri list` in a project that has none. */
export function defaultConfig(): string {
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
 * Loads the project's configuration, and with it the user's backends, and hands over a vitest that runs nothing by itself.
 * It is closed when `use` is done.
 */
export async function withProject<T>(cwd: string, use: (vitest: Vitest) => Promise<T>): Promise<T> {
  const entry = join(vitestFolder(cwd), 'dist', 'node.js');
  const { createVitest } = (await import(pathToFileURL(entry).href)) as typeof import('vitest/node');
  const vitest = await createVitest(
    'test',
    { root: cwd, watch: false, run: true, reporters: [{}], ...(hasConfig(cwd) ? {} : { config: defaultConfig() }) },
    { plugins: [{ name: inspectingPlugin }] },
  );
  try {
    return await use(vitest);
  } finally {
    await vitest.close();
  }
}
