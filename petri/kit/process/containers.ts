import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { PetriError } from '../../errors.ts';
import type { ContainerRuntime } from './types.ts';

const stopSeconds = 3;
const answerMs = 30_000;

/**
 * Stops and removes all containers that bear a label. They are in no group of ours: only their runtime can end them.
 *
 * @throws PetriError `teardown-failed` where the runtime cannot be asked, or leaves one
 */
export async function endContainers(runtime: ContainerRuntime, label: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const found = await list(runtime, label);
    // A runtime may still be making one whose client is gone: it is there when we look again.
    if (found.length === 0 && attempt > 0) return;
    if (found.length > 0) {
      // One that ended meanwhile makes these fail; what counts is the next list.
      await ask(runtime, ['stop', '--time', String(stopSeconds), ...found]).catch(() => undefined);
      await ask(runtime, ['rm', '--force', ...found]).catch(() => undefined);
    }
    await sleep(100);
  }
  const left = await list(runtime, label).catch((error: unknown) => {
    throw failed(runtime, label, String(error), error);
  });
  if (left.length > 0) throw failed(runtime, label, `${left.join(', ')} would not go`);
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
  return new PetriError(`containers with label ${label} may be there still: ${runtime}: ${why}`, {
    code: 'teardown-failed',
    step: 'teardown',
    remedy: `${runtime} ps --all --filter label=${label} shows them, ${runtime} rm --force removes them`,
    cause,
  });
}
