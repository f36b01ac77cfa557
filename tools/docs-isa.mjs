// `npm run docs:isa`: writes docs/isa.md, what the simulator has of A64.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { format, resolveConfig } from 'prettier';

import { load } from '../bin/load.mjs';

const { instructionTable } = await load('backends/sim/cpu/testing/instruction-table');

const file = fileURLToPath(new URL('../docs/isa.md', import.meta.url));
writeFileSync(file, await format(instructionTable(), { ...(await resolveConfig(file)), filepath: file }));
