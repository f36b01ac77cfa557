import pc from 'picocolors';

import type { IsolationType } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { runsHome } from '../homes/index.ts';
import { belongsTo } from '../run-identity.ts';
import { harmlessLine, printError } from '../text/index.ts';
import {
  checkIsolation,
  makeRunDirectory,
  pruneRuns,
  requireBackend,
  resolveOptions,
  runDirectoryPath,
  runsNote,
} from '../vitest/index.ts';
import { hasConfig, withProject } from './project.ts';

type Selected = Awaited<ReturnType<typeof requireBackend>>;

/** Where and how VMs of a command run. */
export interface Bench {
  readonly selected: Selected;
  readonly isolation: IsolationType;
  /** Folder of this run, which exists. */
  readonly directory: string;
}

/**
 * Chooses the backend, and makes the folder for what is kept of this run.
 *
 * @param options as on the command line
 * @throws PetriError of the backend, `unsupported` where it has no such isolation type here
 */
export async function openBench(
  options: { readonly backend?: string | undefined; readonly isolation?: string | undefined },
  defaultIsolation: IsolationType,
): Promise<Bench> {
  const name = options.backend ?? resolveOptions([], process.env, {}).backend;
  const [isolation = defaultIsolation] = checkIsolation(options.isolation === undefined ? [] : [options.isolation]);
  const selected = await selectBackend(name);
  if (selected.probe.isolation[isolation] === undefined) {
    const lacking = selected.probe.lacking?.[isolation] ?? [];
    throw new PetriError(`backend '${name}' has no isolation type '${isolation}' here`, {
      code: 'unsupported',
      step: 'options',
      details: lacking.flatMap(({ what, remedy }) => [`missing: ${what}`, `  to get it: ${remedy}`]),
      remedy: `choose from ${Object.keys(selected.probe.isolation).join(', ')} with --isolation`,
    });
  }
  const runs = runsHome(process.cwd());
  const note = runsNote(runs);
  if (note !== undefined) printError(`${pc.yellow('petri:')} ${harmlessLine(note)}\n`);
  const directory = runDirectoryPath(runs.path, new Date(), process.pid);
  makeRunDirectory(directory);
  belongsTo({ directory, runner: process.pid });
  await pruneRuns(directory);
  return { selected, isolation, directory };
}

/** The user's backends are in the configuration, which takes a while to load: only for names that are not built in. */
async function selectBackend(name: string): Promise<Selected> {
  try {
    return await requireBackend(name);
  } catch (error) {
    const unknown = error instanceof PetriError && error.code === 'unknown-backend';
    if (!unknown || !hasConfig(process.cwd())) throw error;
    return await withProject(process.cwd(), () => requireBackend(name));
  }
}
