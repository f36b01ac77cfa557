import type { VmPayload, TmkTest } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { findTest } from '../tmk/index.ts';

/** The tests inside a payload: none of anything but a TMK. */
export function testsOf(payload: VmPayload): readonly TmkTest[] {
  return payload.kind === 'tmk' ? payload.image.tests : [];
}

/**
 * Index of the test that a payload boots with where its caller names none.
 *
 * @param chosen the test that the options of the VM name, before that of the payload
 * @throws PetriError `tmk-test-ambiguous` where there is a choice and nobody made it; as `findTest` does
 */
export function defaultTest(payload: VmPayload, chosen: string | undefined): number {
  if (payload.kind !== 'tmk') return 0;
  const { image, name } = payload;
  const wanted = chosen ?? payload.test;
  if (wanted !== undefined) return findTest(image, name, wanted).index;
  const [first, second] = image.tests;
  if (first !== undefined && second === undefined) return first.index;
  throw new PetriError(`the TMK '${name}' has ${image.tests.length} tests, and none was chosen to boot with`, {
    code: 'tmk-test-ambiguous',
    step: 'boot',
    remedy: `choose one with tmk(${JSON.stringify(name)}, { test }) or vm.tmk.run(name): ${image.tests.map((test) => test.name).join(', ')}`,
  });
}
