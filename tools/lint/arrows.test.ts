import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';

import { importArrows } from './arrows.js';

const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [{ files: ['**/*.ts'], languageOptions: { parser: tseslint.parser }, ...importArrows }],
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return (result?.messages ?? []).map((message) => message.message);
}

// The imported files exist: the rule resolves them.
const forbidden: [string, string][] = [
  ['tests/some.test.ts', `import { PetriError } from '../petri/errors.ts';`],
  ['tests/some.test.ts', `import { builtinBackends } from '../backends/index.ts';`],
  ['docs/examples/some.ts', `import { PetriError } from '../../petri/errors.ts';`],
  ['petri/backend.ts', `export * from '../backends/index.ts';`],
  ['petri/index.ts', `export * from '../backends/index.ts';`],
  ['petri/vm/some.ts', `import type { Plane0 } from '../../backends/sim/rmm/abi/plane0.ts';`],
  ['petri/vm/some.ts', `export type P = import('../../backends/sim/rmm/abi/plane0.ts').Plane0;`],
  ['petri/vm/some.ts', `await import('../../backends/index.ts');`],
  ['petri/vm/some.test.ts', `import { builtinBackends } from '../../backends/index.ts';`],
  ['petri/vitest/some.ts', `await import('../../backends/sim/cpu/types.ts');`],
  ['petri/cli/some.ts', `import '../../backends/sim/cpu/types.ts';`],
  ['backends/index.ts', `import './sim/index.ts';`],
  ['backends/fvp/some.ts', `import '../sim/cpu/types.ts';`],
  ['backends/fvp/some.ts', `import '../index.ts';`],
  ['backends/sim/cpu/some.ts', `import '../machine/physical-memory.ts';`],
  ['backends/sim/machine/some.ts', `import '../rmm/index.ts';`],
  ['backends/sim/machine/some.ts', `import '../cpu/types.ts';`],
  ['backends/sim/rmm/some.ts', `import '../paravisor/index.ts';`],
  ['backends/sim/rmm/realm/some.ts', `import type { Rec } from '../rec/rec.ts';`],
  ['backends/sim/rmm/rec/some.ts', `import '../rsi/host-call.ts';`],
  ['backends/sim/rmm/rsi/some.ts', `import '../run/plane-exit.ts';`],
  ['backends/sim/rmm/run/some.ts', `import '../rmi/features.ts';`],
  ['backends/sim/rmm/rmi/some.ts', `import '../rmm.ts';`],
  ['backends/sim/host/some.ts', `import '../paravisor/index.ts';`],
  ['backends/sim/host/some.ts', `import '../rmm/abi/plane0.ts';`],
  ['backends/sim/paravisor/some.ts', `import '../index.ts';`],
  ['backends/sim/paravisor/some.ts', `import '../guests/index.ts';`],
  ['backends/sim/guests/some.ts', `import type { SimVm } from '../vm/index.ts';`],
  ['backends/sim/vm/some.ts', `import '../rmm/index.ts';`],
];

const allowed: [string, string][] = [
  ['tests/some.test.ts', `import { petriTest } from 'petri-vm'; import { expect } from 'vitest';`],
  ['docs/examples/some.ts', `import { Supervisor } from 'petri-vm/backend';`],
  ['petri/backend.ts', `export * from './errors.ts';`],
  ['petri/index.ts', `export * from './errors.ts';`],
  ['petri/vm/some.ts', `import { PetriError } from '../errors.ts'; import { readFile } from 'node:fs/promises';`],
  ['petri/vitest/some.ts', `import { builtinBackends } from '../../backends/index.ts';`],
  ['petri/cli/some.ts', `import { builtinBackends } from '../../backends/index.ts';`],
  ['backends/index.ts', `await import('./sim/index.ts');`],
  ['backends/sim/cpu/pe/some.ts', `import '../mmu/regime.ts'; import '../../../../petri/errors.ts';`],
  ['backends/sim/machine/some.ts', `import '../cpu/index.ts'; import '../../../petri/errors.ts';`],
  ['backends/sim/rmm/some.ts', `import '../machine/index.ts'; import './rmi/rmi.ts';`],
  ['backends/sim/rmm/abi/some.test.ts', `import { Rmi } from '../index.ts';`],
  ['backends/sim/rmm/abi/some.ts', `import '../../cpu/index.ts'; import '../../machine/index.ts';`],
  ['backends/sim/rmm/rec/some.ts', `import { Esr } from '../../../../petri/arm/index.ts';`],
  ['backends/sim/rmm/rmi/some.ts', `import '../run/plane-exit.ts'; import '../rec/rec.ts'; import '../abi/status.ts';`],
  ['backends/sim/host/some.ts', `import '../rmm/index.ts';`],
  ['backends/sim/paravisor/some.ts', `import '../rmm/index.ts';`],
  [
    'backends/sim/guests/some.ts',
    `import '../rmm/index.ts'; import '../host/index.ts'; import '../paravisor/index.ts';`,
  ],
  ['backends/sim/vm/some.ts', `import type { Guest } from '../guests/index.ts'; import '../machine/index.ts';`],
  ['backends/sim/some.ts', `import './vm/index.ts';`],
];

describe('the import arrows of the architecture', () => {
  it.each(forbidden)('forbid, in %s: %s', async (file, code) => {
    expect(await complaints(file, code)).toEqual([expect.stringContaining('no import arrow leads from here')]);
  });

  it.each(allowed)('allow, in %s: %s', async (file, code) => {
    expect(await complaints(file, code)).toEqual([]);
  });

  it('know every file: one in no room is an error', async () => {
    expect(await complaints('elsewhere/some.ts', 'export {};')).toHaveLength(1);
  });
});
