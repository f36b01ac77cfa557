import { z } from 'zod';

import { waitingDebugger } from '../../debugging.ts';
import type { OptionValues } from '../options.ts';

const timeout = z.coerce.number().positive();

export const tmkOptions = {
  json: { help: 'print JSON', actions: ['list'] },
  test: { value: 'name', help: 'only this test', actions: ['run'] },
  backend: { value: 'name', help: 'the backend; PETRI_BACKEND, or sim without it', actions: ['run'] },
  isolation: { value: 'type', help: 'the isolation type; cca without it', actions: ['run'] },
  exits: { help: 'show the exits of each plane', actions: ['run'] },
  timeout: {
    value: 'seconds',
    help: 'seconds that each test may take; without it 30, or 180 on sim, where a budget of instructions comes first',
    schema: timeout,
    actions: ['run'],
  },
  verbose: {
    help: 'show what the backend does: the stages of a boot, how long each took, and every console',
    actions: ['run'],
  },
  gdb: {
    value: 'port',
    bare: '0',
    help: 'each VM waits for GDB on this port, any free one without it, and says how to attach (sim, qemu)',
    schema: z.string().transform((port) => waitingDebugger(port)),
    actions: ['run'],
  },
  trace: { help: 'write every instruction to a file of the VM (sim)', actions: ['run'] },
  'guest-coverage': { help: 'write which lines were executed, for lcov (sim)', actions: ['run'] },
  quiet: { help: 'do not show what the tests print', actions: ['run'] },
  output: { value: 'file', short: 'o', help: 'the file to write', actions: ['build'] },
  optimize: { value: 'level', short: 'O', help: 'what gcc is to optimize for; 2 without it', actions: ['build'] },
  simd: {
    help: 'let gcc use floating-point and SIMD registers; then mind alignment, since the MMU is off',
    actions: ['build'],
  },
} as const;

export type TmkCommandOptions = OptionValues<typeof tmkOptions>;
