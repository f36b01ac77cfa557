import { readFile } from 'node:fs/promises';

import type { ViteUserConfig } from 'vitest/config';
import type { TestProject } from 'vitest/node';

import { debuggerRequest } from '../debugging.ts';
import { stretched } from '../run/index.ts';
import type { ProbeResult } from '../contract/index.ts';

/** Settings that the user has left open in a project and that are chosen for VMs. Plain data, for `provide`. */
export interface VmDefaults {
  readonly testTimeout: boolean;
  readonly isolate: boolean;
}

declare module 'vitest' {
  interface ProvidedContext {
    petriDefaults?: VmDefaults;
    /** Whether files share a worker because we chose so, which they must not notice. */
    petriShared?: boolean;
  }
}

/**
 * `testTimeout` in milliseconds where instructions are counted. Ten times what the default instruction budget takes an
 * idle core, and more: a guest that hangs is ended by its budget on a busy machine too, and this is for a test that
 * waits for anything else.
 */
export const VM_TEST_TIMEOUT = 180_000;

/** Without counted instructions, a guest that hangs is ended by the clock. Scaled by the pace of the backend. */
export const UNCOUNTED_TEST_TIMEOUT = 15_000;

/** Settings to add in vite's hook `config`, in which vitest's own defaults are not applied yet. */
export function vmDefaults({ test = {} }: ViteUserConfig): ViteUserConfig {
  // Another instance of our plugin may have set them already.
  const before = test.provide?.petriDefaults;
  const petriDefaults: VmDefaults = before ?? {
    testTimeout: test.testTimeout === undefined,
    isolate: test.isolate === undefined,
  };
  return {
    test: { provide: { petriDefaults }, ...(petriDefaults.testTimeout ? { testTimeout: VM_TEST_TIMEOUT } : {}) },
  };
}

/** Decides what depends on the backend, and on the files of the project. */
export async function applyVmDefaults(
  project: TestProject,
  probe: ProbeResult & { readonly available: true },
): Promise<void> {
  const { config } = project;
  const open = config.provide.petriDefaults;
  // The command line may have changed it.
  if (open?.testTimeout === true && config.testTimeout === VM_TEST_TIMEOUT && !countsInstructions(probe)) {
    config.testTimeout = UNCOUNTED_TEST_TIMEOUT;
  }
  if (debuggerRequest() !== undefined) config.testTimeout = stretched(config.testTimeout, undefined);
  if (open?.isolate === true && config.isolate && !isolateIsGiven(project) && (await runsVms(project))) {
    config.isolate = false;
    project.provide('petriShared', true);
  }
}

function countsInstructions(probe: ProbeResult & { readonly available: true }): boolean {
  return Object.values(probe.isolation).every((features) => features.includes('instruction-budget'));
}

/** `--isolate` on the command line, which the root's configuration does not include. */
function isolateIsGiven({ vitest }: TestProject): boolean {
  const given: unknown = Reflect.get(vitest, '_cliOptions');
  return typeof given === 'object' && given !== null && Reflect.get(given, 'isolate') !== undefined;
}

/** Whether a file of the project imports our package. Other projects, such as unit tests, are not changed. */
async function runsVms(project: TestProject): Promise<boolean> {
  const { testFiles } = await project.globTestFiles();
  for (const file of testFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (/['"]petri-vm['"]/.test(text)) return true;
  }
  return false;
}
