import boundaries from 'eslint-plugin-boundaries';

/** The rooms of the house: disjoint sets of files. A test beside the code belongs to the room of that code. */
const rooms = {
  face: ['petri/index.ts'],
  petri: ['petri/!(vitest|cli)/**', 'petri/!(index).ts'],
  vitest: ['petri/vitest/**'],
  cli: ['petri/cli/**'],
  registry: ['backends/index*.ts'],
  cpu: ['backends/sim/cpu/**'],
  machine: ['backends/sim/machine/**'],
  rmm: ['backends/sim/rmm/**'],
  host: ['backends/sim/host/**'],
  paravisor: ['backends/sim/paravisor/**'],
  guests: ['backends/sim/guests/**'],
  vm: ['backends/sim/vm/**'],
  sim: ['backends/sim/*.ts'],
  fvp: ['backends/fvp/**'],
  qemu: ['backends/qemu/**'],
  hardware: ['backends/hardware/**'],
  tests: ['tests/!(stand-ins)/**'],
  'stand-ins': ['tests/stand-ins/**'],
  bench: ['bench/**'],
  tools: ['tools/**', '*.ts', '*.js'],
};

/** Which rooms a room may import besides itself. What is not here is forbidden. */
const arrows = {
  face: ['petri'],
  petri: [],
  vitest: ['petri', 'registry'],
  cli: ['petri', 'vitest', 'registry'],
  registry: ['petri'],
  cpu: ['petri'],
  machine: ['petri', 'cpu'],
  rmm: ['petri', 'machine', 'cpu'],
  host: ['petri', 'rmm', 'machine', 'cpu'],
  paravisor: ['petri', 'rmm', 'machine', 'cpu'],
  guests: ['petri', 'cpu', 'machine', 'rmm', 'host', 'paravisor'],
  vm: ['petri', 'guests', 'machine', 'cpu'],
  sim: ['petri', 'vm', 'guests'],
  fvp: ['petri'],
  qemu: ['petri'],
  hardware: ['petri'],
  tests: ['face'],
  // They run our own realms behind what they imitate.
  'stand-ins': ['petri', 'registry'],
  bench: ['face', 'petri', 'vitest', 'registry', 'sim', 'vm', 'cpu'],
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
