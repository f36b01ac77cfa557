import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { describeOptions, type OptionValues, readOptions } from '../options.ts';

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
  quiet: { help: 'do not show what the tests print', actions: ['run'] },
  output: { value: 'file', short: 'o', help: 'the file to write', actions: ['build'] },
  optimize: { value: 'level', short: 'O', help: 'what gcc is to optimize for; 2 without it', actions: ['build'] },
  simd: {
    help: 'let gcc use floating-point and SIMD registers; then mind alignment, since the MMU is off',
    actions: ['build'],
  },
} as const;

export type TmkCommandOptions = OptionValues<typeof tmkOptions>;

/** Adds `petri tmk …` to the command line. */
export function registerTmkCommands(cli: CAC): void {
  describeOptions(
    cli.command(
      'tmk <list|run|build> [...payloads]',
      'List, run or build TMKs: payloads by name, or ELF files by path',
    ),
    tmkOptions,
  )
    .usage('tmk list [NAME|ELF …]\n  $ petri tmk run NAME|ELF [--test TEST]\n  $ petri tmk build FILE.c … [-o OUT.elf]')
    .example('petri tmk run simple')
    .example('petri tmk run ./mine.elf --test boot --exits')
    .example('petri tmk build mine.c -o mine.elf')
    .action(async (action: unknown, payloads: unknown) => await run(cli, action, payloads));
}

async function run(cli: CAC, action: unknown, payloads: unknown): Promise<void> {
  const names = z.array(z.coerce.string()).parse(payloads);
  switch (action) {
    case 'list': {
      const { listTmks } = await import('./list.ts');
      listTmks(names, readOptions(cli, 'tmk', tmkOptions, action));
      return;
    }
    case 'run': {
      const { runTmks } = await import('./run.ts');
      await runTmks(names, readOptions(cli, 'tmk', tmkOptions, action));
      return;
    }
    case 'build': {
      const { buildTmk } = await import('./build.ts');
      buildTmk(names, readOptions(cli, 'tmk', tmkOptions, action));
      return;
    }
    default:
      throw new PetriError(`there is no command 'tmk ${String(action)}'`, {
        code: 'invalid-option',
        step: 'options',
        remedy: 'the commands are tmk list, tmk run and tmk build',
      });
  }
}
