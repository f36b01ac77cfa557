import type { IsolationType } from '../contract/index.ts';
import type { SurveyedBackend, TestEnvironment } from '../run/index.ts';
import { payloadOf, type PetriTestOptions } from './options.ts';
import { skipOn, unselected } from './skip-reason.ts';

/**
 * By backend, why a test would be skipped there, or null, as far as its options say: a run decides by the same
 * function, and its body may skip it still. A payload that is a function is called, though hooks of the test file have
 * not run.
 */
export function skipsOn(
  survey: readonly SurveyedBackend[],
  selected: ReturnType<TestEnvironment['selectedIsolation']>,
  test: {
    readonly isolation: IsolationType;
    readonly options: PetriTestOptions;
    readonly linuxOnly?: string | undefined;
  },
): Record<string, string | null> {
  return Object.fromEntries(
    survey.map((surveyed) => [
      surveyed.name,
      unselected(test.isolation, selected) ?? skipReason(surveyed, test) ?? null,
    ]),
  );
}

function skipReason(
  { backend, probe }: SurveyedBackend,
  { isolation, options, linuxOnly }: Parameters<typeof skipsOn>[2],
): string | undefined {
  const demand = { isolation, options, linuxOnly, payload: () => payloadOf(options) };
  try {
    return skipOn(backend, probe, demand)?.reason;
  } catch {
    // A payload that cannot be made: the test is not skipped for it, it fails when it runs.
    return undefined;
  }
}
