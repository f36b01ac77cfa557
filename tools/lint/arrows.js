import boundaries from 'eslint-plugin-boundaries';

/** The rooms of the house: disjoint sets of files. A test beside the code belongs to the room of that code. */
const rooms = {
  face: ['petri/index.ts', 'petri/backend.ts'],
  petri: ['petri/!(vitest|cli)/**', 'petri/!(index|backend).ts'],
  vitest: ['petri/vitest/**'],
  cli: ['petri/cli/**'],
  registry: ['backends/index*.ts'],
  cpu: ['backends/sim/cpu/index.ts'],
  'cpu-inside': ['backends/sim/cpu/!(index).ts', 'backends/sim/cpu/!(testing)/**'],
  'cpu-testing': ['backends/sim/cpu/testing/**'],
  machine: ['backends/sim/machine/index.ts'],
  'machine-inside': ['backends/sim/machine/!(index).ts', 'backends/sim/machine/*/**'],
  rmm: ['backends/sim/rmm/index.ts'],
  'rmm-top': ['backends/sim/rmm/!(index).ts', 'backends/sim/rmm/testing/**', 'backends/sim/rmm/*/*.test.ts'],
  'rmm-abi': ['backends/sim/rmm/abi/+([a-z0-9-]).ts'],
  'rmm-attestation': ['backends/sim/rmm/attestation/+([a-z0-9-]).ts'],
  'rmm-realm': ['backends/sim/rmm/realm/+([a-z0-9-]).ts'],
  'rmm-rec': ['backends/sim/rmm/rec/+([a-z0-9-]).ts'],
  'rmm-rsi': ['backends/sim/rmm/rsi/+([a-z0-9-]).ts'],
  'rmm-run': ['backends/sim/rmm/run/+([a-z0-9-]).ts'],
  'rmm-rmi': ['backends/sim/rmm/rmi/+([a-z0-9-]).ts'],
  host: ['backends/sim/host/index.ts'],
  'host-inside': ['backends/sim/host/**/!(index).ts'],
  paravisor: ['backends/sim/paravisor/index.ts'],
  'paravisor-inside': ['backends/sim/paravisor/**/!(index).ts'],
  guests: ['backends/sim/guests/index.ts'],
  'guests-inside': ['backends/sim/guests/**/!(index).ts'],
  debug: ['backends/sim/debug/index.ts'],
  'debug-inside': ['backends/sim/debug/**/!(index).ts'],
  vm: ['backends/sim/vm/index.ts'],
  'vm-inside': ['backends/sim/vm/**/!(index).ts'],
  sim: ['backends/sim/*.ts'],
  fvp: ['backends/fvp/**'],
  qemu: ['backends/qemu/**'],
  hardware: ['backends/hardware/**'],
  tests: ['tests/!(stand-ins)/**'],
  'stand-ins': ['tests/stand-ins/**'],
  bench: ['bench/**'],
  examples: ['docs/examples/**'],
  tools: ['tools/**', '*.ts', '*.js'],
};

/** The layers of the RMM: each may import those before it. */
const rmmLayers = ['rmm-abi', 'rmm-attestation', 'rmm-realm', 'rmm-rec', 'rmm-rsi', 'rmm-run', 'rmm-rmi'];

/** Which rooms a room may import besides itself. What is not here is forbidden. */
const arrows = {
  face: ['petri'],
  petri: [],
  vitest: ['petri', 'registry'],
  cli: ['petri', 'vitest', 'registry'],
  registry: ['petri'],
  // Of a room of the simulator others see the face only, its index.ts.
  cpu: ['petri', 'cpu-inside'],
  'cpu-inside': ['petri', 'cpu', 'cpu-testing'],
  'cpu-testing': ['petri', 'cpu', 'cpu-inside'],
  machine: ['machine-inside'],
  // Their tests run code that they assemble.
  'machine-inside': ['petri', 'cpu', 'cpu-testing'],
  rmm: [...rmmLayers, 'rmm-top'],
  'rmm-top': ['petri', 'machine', 'cpu', ...rmmLayers, 'rmm'],
  ...Object.fromEntries(
    rmmLayers.map((layer, index) => [layer, ['petri', 'machine', 'cpu', ...rmmLayers.slice(0, index)]]),
  ),
  host: ['host-inside'],
  'host-inside': ['petri', 'rmm', 'machine', 'cpu', 'host'],
  paravisor: ['paravisor-inside'],
  'paravisor-inside': ['petri', 'rmm', 'machine', 'cpu'],
  guests: ['guests-inside'],
  'guests-inside': ['petri', 'cpu', 'machine', 'rmm', 'host', 'paravisor'],
  vm: ['vm-inside'],
  debug: ['debug-inside'],
  'debug-inside': ['petri', 'guests', 'machine', 'cpu'],
  'vm-inside': ['petri', 'guests', 'debug', 'machine', 'cpu'],
  sim: ['petri', 'vm', 'guests'],
  fvp: ['petri'],
  qemu: ['petri'],
  hardware: ['petri'],
  tests: ['face'],
  examples: ['face'],
  // They run our own realms behind what they imitate.
  'stand-ins': ['petri', 'registry'],
  bench: ['face', 'petri', 'vitest', 'registry', 'sim', 'vm-inside', 'cpu', 'cpu-inside'],
  tools: ['face', 'petri', 'vitest', 'cli', 'registry'],
};

const inRoom = (...names) => ({ file: { categories: names } });

/** The linter's rule for the import arrows of the architecture: a forbidden import is an error. */
export const importArrows = {
  plugins: { boundaries },
  settings: {
    'boundaries/files': Object.entries(rooms).map(([category, pattern]) => ({ category, pattern, fullMatch: true })),
    'boundaries/dependency-nodes': ['import', 'export', 'dynamic-import', 'require'],
    'boundaries/additional-dependency-nodes': [
      { selector: 'TSImportType > Literal', kind: 'type', name: 'import-type' },
    ],
    'boundaries/legacy-templates': false,
    'import/resolver': { node: { extensions: ['.ts', '.js'] } },
  },
  rules: {
    'boundaries/no-unknown-files': 'error',
    'boundaries/dependencies': [
      'error',
      {
        default: 'disallow',
        message: 'architecture: no import arrow leads from here to {{ dependency.source }}; see tools/lint/arrows.js',
        policies: [
          { allow: { to: { module: { origin: ['external', 'core'] } } } },
          ...Object.entries(arrows).map(([room, others]) => ({
            from: inRoom(room),
            allow: { to: inRoom(room, ...others) },
          })),
          // The registry names every backend; only `import()` keeps those that are not chosen out of memory.
          {
            from: inRoom('registry'),
            allow: {
              to: inRoom('sim', 'fvp', 'qemu', 'hardware'),
              dependency: { nodeKind: 'dynamic-import' },
            },
          },
        ],
      },
    ],
  },
};
