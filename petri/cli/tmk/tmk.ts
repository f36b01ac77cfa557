import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { describeOptions, readOptions } from '../options.ts';
import { tmkOptions } from './options.ts';

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
