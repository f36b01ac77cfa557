import { z } from 'zod';

import { PetriError } from '../../../errors.ts';
import { Supervisor } from '../../process/index.ts';
import { runSteps, type StackManager, type StackReporter } from '../index.ts';

/** Longer than a living process needs on any busy host; for a killed one, the test expires its lock. */
const LOCK_MS = 600_000;

const requestSchema = z.object({
  root: z.string(),
  lockFile: z.string().optional(),
  sources: z.array(z.object({ name: z.string(), repository: z.string().optional(), revision: z.string().optional() })),
  rebuild: z.array(z.enum(['plane0-linux', 'rootfs', 'tmk'])),
  refresh: z.boolean(),
  given: z.record(z.string(), z.string()),
  runtime: z.string().optional(),
  /** Whether to report the output of steps. */
  verbose: z.boolean().optional(),
});

export type InstallRequest = z.infer<typeof requestSchema>;

/** Output of an installation, one JSON object per line. */
export type InstallEvent =
  | { readonly event: 'started' | 'finished'; readonly step: string }
  | { readonly event: 'note' | 'output'; readonly step: string; readonly message: string }
  | { readonly event: 'done'; readonly ran: readonly string[]; readonly skipped: readonly string[] }
  | { readonly event: 'error'; readonly code: string; readonly message: string };

/** An installation in a separate process, so that tests can kill it; PETRI_TEST_REQUEST says what to install. */
export async function runInstall(manager: StackManager): Promise<void> {
  const request = requestSchema.parse(JSON.parse(process.env['PETRI_TEST_REQUEST'] ?? ''));
  const say = (event: InstallEvent): void => void process.stdout.write(`${JSON.stringify(event)}\n`);
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const reporter: StackReporter = {
    skipped: () => undefined,
    started: (step) => say({ event: 'started', step: step.name }),
    finished: (step) => say({ event: 'finished', step: step.name }),
    failed: () => undefined,
    waiting: () => undefined,
    note: (step, message) => say({ event: 'note', step: step.name, message }),
    ...(request.verbose === true
      ? { output: (step, line) => say({ event: 'output', step: step.name, message: line }) }
      : {}),
  };
  try {
    const { lockFile, sources, runtime, ...rest } = request;
    const prepared = await manager.prepare({
      ...rest,
      sources: sources.map(({ name, repository, revision }) => ({
        name,
        ...(repository === undefined ? {} : { repository }),
        ...(revision === undefined ? {} : { revision }),
      })),
      ...(lockFile === undefined ? {} : { lockFile }),
      ...(runtime === undefined ? {} : { runtime }),
      cwd: process.cwd(),
      jobs: 1,
      dryRun: false,
      env: process.env,
    });
    const options = { reporter, signal: interruption.signal, force: prepared.force, lock: { stale: LOCK_MS } };
    say({ event: 'done', ...(await runSteps(prepared.plan, options)) });
  } catch (error) {
    const code = error instanceof PetriError ? error.code : 'internal';
    say({ event: 'error', code, message: error instanceof Error ? error.message : String(error) });
  } finally {
    await Supervisor.current()?.close();
  }
}
