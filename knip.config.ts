import type { KnipConfig } from 'knip';

/** What is loaded by name (`load('…')` of bin/load.mjs, which knip does not follow), or by a tool. */
const loadedByName = [
  '{petri,backends,tests,bench,tools,bin}/**/*.mjs',
  'petri/cli/{main,vitest-bin}.ts',
  'petri/vitest/{config,default-config,setup}.ts',
  'petri/kit/process/run-reaper.ts',
  'petri/**/*.fixture.ts',
  'petri/vm-test/fixtures/*.ts',
  'backends/**/testing/{run-install,schedules,sshd}.ts',
  'petri/kit/stack/testing/run-install.ts',
  'backends/hardware/lease/run-lease-guard.ts',
  'bench/{main,cold,fuzz,image,memory,snapshot,thousand/*}.ts',
  'tests/stand-ins/fvp/{install,guest/{lkvm,model-client},model/main,shrinkwrap/main,tmk-vmm/worker}.ts',
];

/**
 * `npm run lint:house`: value exports that nobody imports, files that nobody needs, packages that nobody uses or
 * declares.
 */
const config: KnipConfig = {
  entry: ['petri/{index,backend}.ts', ...loadedByName],
  project: ['{petri,backends,tests,bench,tools}/**/*.{ts,mjs,js}', 'bin/*.mjs'],
  ignoreExportsUsedInFile: true,
  // A face says the types of what it exports, whether somebody names them or not.
  exclude: ['types', 'binaries'],
  // Loaded by a name that a variable has.
  ignoreDependencies: ['@xterm/headless', '@lydell/node-pty'],
};

export default config;
