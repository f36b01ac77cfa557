import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { ask, findProgram, runSupervised, type StackCommand } from '../stack/index.ts';

/** Where a download works, and how it reports progress. */
export interface DownloadContext {
  /** A folder that is removed afterwards. */
  readonly work: string;
  readonly log: string;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** What was downloaded. */
export interface DebianFiles {
  /** The contents of all packages, unpacked into one folder. */
  readonly tree: string;
  /** Package and version of each: 'busybox-static=1:1.35.0-4'. */
  readonly packages: readonly string[];
}

/** The package that depends on the package of the newest kernel. */
const NEWEST_KERNEL = 'linux-image-arm64';
const BUSYBOX = 'busybox-static';

/**
 * Downloads packages for arm64 with apt, from the archive that this host uses, and unpacks them. apt works in a folder
 * of its own, without root, and verifies signatures with the keys of the system.
 *
 * @throws PetriError `tool-missing`, `tool-failed`, `interrupted`
 */
export async function downloadDebian(
  wanted: { readonly kernel: boolean; readonly busybox: boolean },
  context: DownloadContext,
): Promise<DebianFiles> {
  const { work, log, signal, say } = context;
  const downloads = join(work, 'packages');
  const tree = join(work, 'tree');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'packages', 'tree']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  const run = (command: StackCommand): Promise<void> => runSupervised({ unattended: true, ...command }, log, signal);

  say("reading the archive's lists for arm64");
  await run({ argv: ['apt-get', ...aptOptions(work), 'update'] });
  const kernel = wanted.kernel ? await newestKernel(work) : undefined;
  const names = [...(kernel === undefined ? [] : [kernel]), ...(wanted.busybox ? [BUSYBOX] : [])];
  say(`downloading ${names.join(' and ')}`);
  await run({ argv: ['apt-get', ...aptOptions(work), 'download', ...names], cwd: downloads });

  const packages: string[] = [];
  for (const name of readdirSync(downloads).filter((file) => file.endsWith('.deb'))) {
    const file = join(downloads, name);
    say(`unpacking ${name}`);
    await run({ argv: ['dpkg-deb', '-x', file, tree] });
    packages.push((await ask(['dpkg-deb', '-W', file])).replace('\t', '='));
  }
  return { tree, packages };
}

/** @throws PetriError `tool-missing` on a host without apt */
export function expectApt(): void {
  const absent = ['apt-get', 'apt-cache', 'dpkg-deb'].filter((name) => findProgram(name, process.env) === undefined);
  if (absent.length === 0) return;
  throw new PetriError(`there is no ${absent.join(', ')} here to download a kernel and busybox with`, {
    code: 'tool-missing',
    step: 'install',
    remedy: 'give files of your own: petri linux install --kernel FILE --busybox FILE',
  });
}

/** Options for the architecture of the guest, independent of what is installed here. */
function aptOptions(work: string): string[] {
  const settings = {
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Sandbox::User': '',
    'Dir::State': join(work, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(work, 'cache'),
  };
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

async function newestKernel(work: string): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C' };
  const told = await ask(['apt-cache', ...aptOptions(work), 'depends', NEWEST_KERNEL], { env }).catch(
    (error: unknown) => String(error),
  );
  const [, kernel] = /^\s*Depends: (linux-image-\S+)$/m.exec(told) ?? [];
  if (kernel !== undefined) return kernel;
  throw new PetriError(`the archive of this host has no ${NEWEST_KERNEL} that depends on a kernel: ${told}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'use a Debian whose archive has arm64, or give files of your own with --kernel and --busybox',
  });
}
