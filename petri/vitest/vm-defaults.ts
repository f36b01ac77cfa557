import { readFile } from 'node:fs/promises';

import type { ViteUserConfig } from 'vitest/config';
import type { TestProject } from 'vitest/node';

import type { ProbeResult } from '../contract/index.ts';

/** What of a project's configuration the user has left open, and is chosen for VMs. Plain data, for `provide`. */
export interface VmDefaults {
  readonly testTimeout: boolean;
  readonly isolate: boolean;
}

declare module 'vitest' {
  interface ProvidedContext {
    petriDefaults?: VmDefaults;
    /** The files of a worker share it because we chose so, and are to notice nothing of each other. */
    petriShared?: boolean;
  }
}

/**
 * `testTimeout` in milliseconds where instructions are counted. Ten times what the default instruction budget takes an
 * idle core, and more: a guest that hangs is ended by its budget on a busy machine too, and this is for a test that
 * waits for anything else.
 */
export const VM_TEST_TIMEOUT = 180_000;

/** Where they are not, a guest that hangs is ended by the clock. Stretched by the pace of the backend. */
export const UNCOUNTED_TEST_TIMEOUT = 15_000;

/** What to add to a configuration, as vite's hook `config` has it: vitest's own defaults are not in there yet. */
export function vmDefaults({ test = {} }: ViteUserConfig): ViteUserConfig {
  // Another instance of our plugin may have been here before.
  const before = test.provide?.petriDefaults;
  const petriDefaults: VmDefaults = before ?? {
    testTimeout: test.testTimeout === undefined,
    isolate: test.isolate === undefined,
  };
  return {
    test: { provide: { petriDefaults }, ...(petriDefaults.testTimeout ? { testTimeout: VM_TEST_TIMEOUT } : {}) },
  };
}

/** Settles what depends on the backend, and on what is in the files of the project. */
export async function applyVmDefaults(
  project: TestProject,
  probe: ProbeResult & { readonly available: true },
): Promise<void> {
  const { config } = project;
  const open = config.provide.petriDefaults;
  // The command line may have spoken since.
  if (open?.testTimeout === true && config.testTimeout === VM_TEST_TIMEOUT && !countsInstructions(probe)) {
    config.testTimeout = UNCOUNTED_TEST_TIMEOUT;
  }
  if (open?.isolate === true && config.isolate && !isolateIsGiven(project) && (await runsVms(project))) {
    config.isolate = false;
    project.provide('petriShared', true);
  }
}

function countsInstructions(probe: ProbeResult & { readonly available: true }): boolean {
  return Object.values(probe.isolation).every((features) => features.includes('instruction-budget'));
}

/** `--isolate` on the command line, which the configuration of the root does not show. */
function isolateIsGiven({ vitest }: TestProject): boolean {
  const given: unknown = Reflect.get(vitest, '_cliOptions');
  return typeof given === 'object' && given !== null && Reflect.get(given, 'isolate') !== undefined;
}

/** Whether a file of the project imports us. Other projects, such as one of unit tests, stay as vitest has them. */
async function runsVms(project: TestProject): Promise<boolean> {
  const { testFiles } = await project.globTestFiles();
  for (const file of testFiles) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (/['"]petri-vm['"]/.test(text)) return true;
  }
  return false;
}
