import { existsSync } from 'node:fs';
import { register } from 'node:module';

/** On `globalThis`: vite makes a copy of this module for the configuration file that imports it. */
const registered = Symbol.for('petri-vm.typescript-hooks');

/**
 * Imports a module of ours by its path without extension: its TypeScript source in the repository, which needs no build
 * step and is never stale, and what was built from it in the package.
 */
export async function load(path) {
  const source = new URL(`../${path}.ts`, import.meta.url);
  if (!existsSync(source)) return await import(new URL(`../dist/${path}.js`, import.meta.url).href);
  if (!process.features.typescript && !globalThis[registered]) {
    register('./typescript-hooks.mjs', import.meta.url);
    globalThis[registered] = true;
  }
  return await import(source.href);
}
