import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../errors.ts';

const optionsSchema = z.object({
  json: z.boolean().optional(),
  output: z.string().optional(),
  optimize: z.coerce.string().optional(),
  simd: z.boolean().optional(),
  test: z.string().optional(),
  backend: z.string().optional(),
  isolation: z.string().optional(),
  exits: z.boolean().optional(),
  timeout: z.coerce.number().positive().optional(),
  quiet: z.boolean().optional(),
});

export type TmkCommandOptions = z.infer<typeof optionsSchema>;

/** Adds `petri tmk …` to the command line. */
export function registerTmkCommands(cli: CAC): void {
  cli
    .command('tmk <list|run|build> [...payloads]', 'List, run or build TMKs: payloads by name, or ELF files by path')
    .usage('tmk list [NAME|ELF …]\n  $ petri tmk run NAME|ELF [--test TEST]\n  $ petri tmk build FILE.c … [-o OUT.elf]')
    .option('--json', 'list: print JSON')
    .option('--test <name>', 'run: only this test')
    .option('--backend <name>', 'run: the backend; PETRI_BACKEND, or sim without it')
    .option('--isolation <type>', 'run: the isolation type; cca without it')
    .option('--exits', 'run: show the exits of each plane')
    .option(
      '--timeout <seconds>',
      'run: seconds that each test may take; without it 30, or 180 on sim, where a budget of instructions comes first',
    )
    .option('--quiet', 'run: do not show what the tests print')
    .option('-o, --output <file>', 'build: the file to write')
    .option('-O, --optimize <level>', 'build: what gcc is to optimize for; 2 without it')
    .option('--simd', 'build: let gcc use floating-point and SIMD registers; then mind alignment, since the MMU is off')
    .example('petri tmk run simple')
    .example('petri tmk run ./mine.elf --test boot --exits')
    .example('petri tmk build mine.c -o mine.elf')
    .action(run);
}

async function run(action: unknown, payloads: unknown, given: unknown): Promise<void> {
  const names = z.array(z.coerce.string()).parse(payloads);
  const options = parseOptions(given);
  switch (action) {
    case 'list': {
      const { listTmks } = await import('./tmk-list.ts');
      listTmks(names, options);
      return;
    }
    case 'run': {
      const { runTmks } = await import('./tmk-run.ts');
      await runTmks(names, options);
      return;
    }
    case 'build': {
      const { buildTmk } = await import('./tmk-build.ts');
      buildTmk(names, options);
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

function parseOptions(given: unknown): TmkCommandOptions {
  const parsed = optionsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PetriError(`--${String(issue?.path[0])}: ${issue?.message ?? 'wrong'}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'petri tmk --help describes the options',
    cause: parsed.error,
  });
}
