import { type Feature, features, type IsolationType, isolationTypes } from '../contract/index.ts';

// vitest refuses spaces and the characters of its tag expressions in names; `/` makes wildcards such as `isolation/*`
// work.
const isolationPrefix = 'isolation/';
const featurePrefix = 'needs/';

/** The vitest tag of all tests of an isolation type, such as `isolation/cca`. */
export function isolationTag(isolation: IsolationType): string {
  return `${isolationPrefix}${isolation}`;
}

/** The vitest tag of all tests that never run without a feature, such as `needs/planes`. */
export function featureTag(feature: Feature): string {
  return `${featurePrefix}${feature}`;
}

/** What a test's tags say about it; undefined for a test that is not a VM test. */
export function parseTags(
  tags: readonly string[],
): { readonly isolation: IsolationType; readonly requires: readonly Feature[] } | undefined {
  const isolation = isolationTypes.find((type) => tags.includes(isolationTag(type)));
  if (isolation === undefined) return undefined;
  const needs = tags.filter((tag) => tag.startsWith(featurePrefix));
  return { isolation, requires: needs.map((tag) => tag.slice(featurePrefix.length)) };
}

/** A tag as a vitest configuration declares it. */
export interface TagDefinition {
  readonly name: string;
  readonly description: string;
}

/**
 * Every tag that `petriTest` gives, for the `tags` of a vitest configuration: vitest refuses tags that it does not
 * declare.
 */
export const tagDefinitions: readonly TagDefinition[] = [
  ...isolationTypes.map((type) => ({ name: isolationTag(type), description: `VM tests of isolation type ${type}` })),
  ...features.map(featureTagDefinition),
];

/** The declaration of a feature's tag. */
export function featureTagDefinition(feature: Feature): TagDefinition {
  return { name: featureTag(feature), description: `VM tests that need the feature ${feature}` };
}
