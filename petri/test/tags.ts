import { type Feature, features } from '../vm/features.ts';
import { type IsolationType, isolationTypes } from '../vm/isolation.ts';

// vitest refuses spaces and the characters of its tag expressions in names; `/` makes wildcards such as `isolation/*` work.
const isolationPrefix = 'isolation/';
const featurePrefix = 'needs/';

/** The vitest tag of all tests of an isolation type, such as `isolation/cca`. */
export function isolationTag(isolation: IsolationType): string {
  return `${isolationPrefix}${isolation}`;
}

/** The vitest tag of all tests that require a feature, such as `needs/planes`. */
export function featureTag(feature: Feature): string {
  return `${featurePrefix}${feature}`;
}

/** What a test's tags say about it; undefined for a test that is not a VM test. */
export function parseTags(
  tags: readonly string[],
): { readonly isolation: IsolationType; readonly requires: readonly Feature[] } | undefined {
  const isolation = isolationTypes.find((type) => tags.includes(isolationTag(type)));
  if (isolation === undefined) return undefined;
  return { isolation, requires: features.filter((feature) => tags.includes(featureTag(feature))) };
}

/** Every tag that `petriTest` gives, for the `tags` of a vitest configuration: vitest refuses tags it was not told of. */
export const tagDefinitions: readonly { readonly name: string; readonly description: string }[] = [
  ...isolationTypes.map((type) => ({ name: isolationTag(type), description: `VM tests of isolation type ${type}` })),
  ...features.map((feature) => ({
    name: featureTag(feature),
    description: `VM tests that need the feature ${feature}`,
  })),
];
