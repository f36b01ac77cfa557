import { z } from 'zod';

import { type Backend, type ProbeResult, knownFeatures, isolationTypes } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { didYouMean } from '../options/index.ts';

const missing = z.object({ what: z.string().min(1), remedy: z.string() });
const count = z.number().int().nonnegative();
const speed = { boot: z.number().nonnegative(), factor: z.number().positive() };

/** Evaluated at each check: a configuration may have declared features meanwhile. */
const feature = z.string().superRefine((name, context) => {
  const known = knownFeatures();
  if (known.includes(name)) return;
  context.addIssue({ code: 'custom', message: `there is no feature '${name}'${didYouMean(name, known)}` });
});

const byIsolation = <T extends z.ZodType>(value: T): z.ZodType => z.partialRecord(z.enum(isolationTypes), value);

const schema = z.discriminatedUnion('available', [
  z.object({
    available: z.literal(true),
    isolation: byIsolation(z.array(feature)),
    limits: z.object({
      minMemory: count.optional(),
      maxMemory: count,
      maxVcpus: count,
      maxPlanes: count,
    }),
    lacking: byIsolation(z.array(missing)).optional(),
    pace: z
      .object({ ...speed, parallel: count.positive(), isolation: byIsolation(z.object(speed)).optional() })
      .optional(),
    facts: z.record(z.string(), z.string()),
  }),
  z.object({ available: z.literal(false), missing: z.array(missing).min(1) }),
]);

/**
 * The result of a backend's `probe`, if it is a valid `ProbeResult` that names only existing features.
 *
 * @throws PetriError `backend-fault` with each error and its location, and for a probe that fails
 */
export async function checkedProbe(name: string, backend: Pick<Backend, 'probe'>): Promise<ProbeResult> {
  let result: ProbeResult;
  try {
    result = await backend.probe();
  } catch (cause) {
    throw new PetriError(`the probe of backend '${name}' failed: ${String(cause)}`, {
      code: 'backend-fault',
      step: 'probe',
      remedy: 'correct its `probe()`: what is missing on a host is for its result to say',
      cause,
    });
  }
  const { success, error } = schema.safeParse(result);
  if (success) return result;
  throw new PetriError(`the probe of backend '${name}' does not give a ProbeResult`, {
    code: 'backend-fault',
    step: 'probe',
    details: error.issues.map(({ path, message }) => `  ${path.map(String).join('.') || 'result'}: ${message}`),
    remedy: 'correct its `probe()`; features of your own are declared with definePetriConfig({ features: { … } })',
  });
}
