import { PetriError } from '../errors.ts';
import { checkOptions, flag, isObject, listOf, nearest, oneOf, text, type Rule } from '../options/index.ts';
import type { ViteUserConfig } from 'vitest/config';
import { features, isolationTypes } from '../contract/index.ts';
import type { PetriConfig } from './petri-config.ts';

const rules: Readonly<Record<Exclude<keyof PetriConfig, keyof ViteUserConfig>, Rule>> = {
  backends: {
    accepts: (value) => isObject(value) && Object.values(value).every((loader) => typeof loader === 'function'),
    expected: "an object of functions, such as { mine: () => import('./mine.ts') }",
  },
  backend: text,
  isolation: listOf(oneOf(isolationTypes)),
  strictSkips: flag,
  features: {
    accepts: (value) =>
      isObject(value) &&
      Object.entries(value).every(([name, meaning]) => isNewFeature(name) && typeof meaning === 'string'),
    expected: `an object from names such as 'acme.trace', which are not built in, to what they mean`,
  },
};

/** Lower case, in segments: it becomes a tag of vitest. */
function isNewFeature(name: string): boolean {
  return /^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/.test(name) && !features.some((feature) => feature === name);
}

/** Vite's own options with names similar to ours. */
const others: readonly string[] = ['base'];

/**
 * Checks our options in a configuration. Others belong to Vite, vitest and their plugins; of these, only names that are
 * nearly ours are reported.
 *
 * @throws PetriError `invalid-option`
 */
export function checkConfig(config: object): void {
  const names = Object.keys(rules);
  const entries = Object.entries(config);
  checkOptions('definePetriConfig', Object.fromEntries(entries.filter(([name]) => names.includes(name))), rules);
  for (const [name] of entries) {
    const meant = names.includes(name) || others.includes(name) ? undefined : nearest(name, names);
    if (meant === undefined) continue;
    throw new PetriError(`definePetriConfig has no option '${name}', did you mean '${meant}'?`, {
      code: 'invalid-option',
      step: 'options',
      remedy: `besides those of vitest, the options are ${names.join(', ')}`,
    });
  }
}
