import { resolve } from 'node:path';

import { PetriError } from '../../errors.ts';
import type { CcaCommandOptions } from './options.ts';
import { installStack } from './install.ts';
import { stackManagerOf } from './request.ts';
import { runTmks } from '../tmk/run.ts';

/** OpenVMM's simple_tmk, from the stack. */
const BUILT_PAYLOAD = 'simple_tmk';
/** Our payload with the tests of simple_tmk, for a stack without it: one with a given tmk_vmm. */
const OWN_PAYLOAD = 'simple';

/**
 * `petri cca run`: boots the stack that is installed, launches a realm on it and runs TMKs in the realm's plane 1.
 * Shows each stage of the boot, what is waited for and how long it took. The exit code says whether every test passed.
 * Without payloads, it runs the stack's own simple_tmk.
 *
 * @throws PetriError what the backend says, `stack-missing`, `invalid-option`
 */
export async function runOnStack(payloads: readonly string[], options: CcaCommandOptions, cwd: string): Promise<void> {
  const manager = await stackManagerOf(options.platform);
  if (options.buildOnly === true) {
    await installStack('run', options, cwd);
    return;
  }
  // The backend finds its stack as in tests.
  if (options.root !== undefined) process.env[manager.rootVariable] = resolve(cwd, options.root);
  const built = manager.simpleTmk(
    options.root === undefined ? manager.root(cwd, process.env) : resolve(cwd, options.root),
  );
  await runTmks(chosenPayloads(payloads, built), {
    backend: options.platform,
    isolation: 'cca',
    stages: true,
    ...(options.test === undefined ? {} : { test: options.test }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.verbose === true ? { verbose: true } : {}),
  });
}

/** @param built path of the stack's simple_tmk */
function chosenPayloads(given: readonly string[], built: string | undefined): readonly string[] {
  if (given.length === 0) return [built ?? OWN_PAYLOAD];
  return given.map((name) => {
    if (name !== BUILT_PAYLOAD) return name;
    if (built !== undefined) return built;
    throw new PetriError('the stack has no simple_tmk: a tmk_vmm was given to it, and OpenVMM was not built', {
      code: 'artifact-missing',
      step: 'payload',
      remedy: `build it with: npx petri cca install --tmk-vmm=own; or run '${OWN_PAYLOAD}', which has the same tests`,
    });
  });
}
