import { resolve } from 'node:path';

import type { CcaCommandOptions } from './cca.ts';
import { installStack } from './cca-install.ts';
import { stackManagerOf } from './cca-request.ts';
import { runTmks } from './tmk-run.ts';

/** The payload with the tests of OpenVMM's simple_tmk. */
const DEFAULT_PAYLOAD = 'simple';

/**
 * `petri cca run`: boots the stack that is installed, launches a realm on it and runs TMKs in the realm's plane 1. Shows each stage of
 * the boot, what is waited for and how long it took. The exit code says whether every test passed.
 *
 * @throws PetriError what the backend says, `stack-missing`, `invalid-option`
 */
export async function runOnStack(payloads: readonly string[], options: CcaCommandOptions, cwd: string): Promise<void> {
  const manager = await stackManagerOf(options.platform);
  if (options.buildOnly === true) {
    await installStack('run', options, cwd);
    return;
  }
  // The backend finds its stack as it does in tests.
  if (options.root !== undefined) process.env[manager.rootVariable] = resolve(cwd, options.root);
  await runTmks(payloads.length === 0 ? [DEFAULT_PAYLOAD] : payloads, {
    backend: options.platform,
    isolation: 'cca',
    stages: true,
    ...(options.test === undefined ? {} : { test: options.test }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.verbose === true ? { verbose: true } : {}),
  });
}
