import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { PetriError } from '../../errors.ts';
import type { ContainerRuntime } from './types.ts';

const stopSeconds = 3;
const answerMs = 30_000;

/**
 * Stops and removes all containers with a label. They are not in our process groups: only their runtime can end them.
 *
 * @throws PetriError `teardown-failed` if the runtime cannot be asked, or one remains
 */
export async function endContainers(runtime: ContainerRuntime, label: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const found = await list(runtime, label);
    // The runtime may still be creating a container whose client has ended, so look again.
    if (found.length === 0 && attempt > 0) return;
    if (found.length > 0) {
      // These fail if a container ended meanwhile; the next list decides.
      await ask(runtime, ['stop', '--time', String(stopSeconds), ...found]).catch(() => undefined);
      await ask(runtime, ['rm', '--force', ...found]).catch(() => undefined);
    }
    await sleep(100);
  }
  const left = await list(runtime, label).catch((error: unknown) => {
    throw failed(runtime, label, String(error), error);
  });
  if (left.length > 0) throw failed(runtime, label, `${left.join(', ')} could not be removed`);
}

async function list(runtime: ContainerRuntime, label: string): Promise<string[]> {
  try {
    const output = await ask(runtime, ['ps', '--all', '--quiet', '--filter', `label=${label}`]);
    return output.split(/\s+/).filter((id) => /^[0-9a-f]{4,64}$/.test(id));
  } catch (error) {
    throw failed(runtime, label, error instanceof Error ? error.message : String(error), error);
  }
}

function ask(runtime: ContainerRuntime, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(runtime, args, { timeout: answerMs, maxBuffer: 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() === '' ? error.message : stderr.trim(), { cause: error }));
    });
  });
}

function failed(runtime: ContainerRuntime, label: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`containers with label ${label} may still exist: ${runtime}: ${why}`, {
    code: 'teardown-failed',
    step: 'teardown',
    remedy: `${runtime} ps --all --filter label=${label} shows them, ${runtime} rm --force removes them`,
    cause,
  });
}
