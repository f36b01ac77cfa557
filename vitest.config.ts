import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

import { load } from './bin/load.mjs';
import { HANGS } from './petri/unit-test/hangs.ts';

// An ordinary import would make vite bundle the framework and every backend, whole, at each start.
const { definePetriConfig } = (await load('petri/vitest/config')) as typeof import('./petri/vitest/config.ts');
const { resolveOptions } = (await load('petri/vitest/options')) as typeof import('./petri/vitest/options.ts');

// Whoever chooses a backend or an isolation type is after VM tests.
const { backend, isolation } = resolveOptions(process.argv, process.env, { backend: '' });
const isVmRun = backend !== '' || isolation.length > 0;

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export default definePetriConfig({
  resolve: {
    alias: [
      { find: /^petri-vm$/, replacement: source('petri/index.ts') },
      { find: /^petri-vm\/backend$/, replacement: source('petri/backend.ts') },
      { find: /^petri-vm\/config$/, replacement: source('petri/vitest/config.ts') },
    ],
  },
  test: {
    // Many tests wait for processes of theirs, so that cores are left over without this.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    projects: [
      { extends: true, test: { name: 'vm', include: ['tests/**/*.test.ts'], exclude: ['tests/stand-ins/**'] } },
      ...(isVmRun
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'unit',
                // Many of them replace modules, and their texts name ours.
                isolate: true,
                include: ['{petri,backends,tools,tests/stand-ins}/**/*.test.ts', 'bench/*.test.ts'],
                testTimeout: HANGS,
                hookTimeout: HANGS,
                expect: { poll: { timeout: HANGS, interval: 50 } },
                // Budgets of machines that boot are for hosts that are not busy.
                env: { PETRI_SLOW_FACTOR: '50' },
              },
            },
          ]),
    ],
  },
});
