import { accessSync, constants, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { checkKernel } from '../../payload/index.ts';
import { checkStaticProgram } from '../../elf/index.ts';
import { Supervisor } from '../process/index.ts';
import { beginLog, digestFile, publishFile, runSupervised, withRootLock, writeAtomically } from '../stack/index.ts';
import { downloadDebian, expectApt, type DebianFiles, type DownloadContext } from './debian.ts';

export interface PrepareRequest {
  /** Where the files go; absolute. */
  readonly folder: string;
  /** Files of the user's own instead of Debian's; absolute. */
  readonly kernel?: string | undefined;
  readonly busybox?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with each step, for progress messages. */
  say(line: string): void;
}

/** Modules of the kernel that mount ext4 from a virtio disk, in load order. Missing ones are built in. */
const MODULES = [
  'virtio_mmio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_blk',
  'mbcache',
  'jbd2',
  'crc16',
  'crc32c_generic',
  'ext4',
];

/**
 * Fills a folder with what `linux()` boots: `vmlinuz`, `busybox`, `modules/` of Debian's kernel, and `versions`, which
 * describes them. Files that are already there are not downloaded again.
 *
 * @returns the lines of `versions`, and whether anything was done
 * @throws PetriError `artifact-missing` for a file that cannot be read, `image-invalid` for one of the wrong kind,
 *   `stack-busy`, as `expectApt` and `downloadDebian`
 */
export async function prepareLinux(
  request: PrepareRequest,
): Promise<{ readonly versions: readonly string[]; readonly done: boolean }> {
  const { folder, kernel, busybox, signal } = request;
  for (const path of [kernel, busybox]) if (path !== undefined) expectReadable(path);
  if (kernel !== undefined) checkKernel(kernel);
  if (busybox !== undefined) checkStaticProgram(busybox);
  return await withRootLock(folder, { signal, onWait: (why) => request.say(why) }, async () => {
    const before = readVersions(folder);
    const has = (...names: string[]): boolean => names.every((name) => existsSync(join(folder, name)));
    const hasKernel = before.kernel !== undefined && has('vmlinuz') && (isOfUser(before.kernel) || hasModules(folder));
    const wanted = {
      kernel: kernel === undefined && !hasKernel,
      busybox: busybox === undefined && !(before.busybox !== undefined && has('busybox')),
    };
    const isGiven = kernel !== undefined || busybox !== undefined;
    if (!wanted.kernel && !wanted.busybox && !isGiven) return { versions: lines(before), done: false };

    const log = join(folder, 'install.log');
    await beginLog(log);
    const found = wanted.kernel || wanted.busybox ? await download(request, wanted, log, folder) : undefined;
    const versions: Versions = {
      kernel: found?.find((line) => line.startsWith('linux-image-')) ?? before.kernel,
      busybox: found?.find((line) => line.startsWith('busybox')) ?? before.busybox,
    };
    if (kernel !== undefined) {
      await publishFile(kernel, join(folder, 'vmlinuz'), 0o644);
      // They belong to another kernel.
      rmSync(join(folder, 'modules'), { recursive: true, force: true });
      versions.kernel = `kernel ${basename(kernel)} sha256=${await digestFile(kernel)}`;
    }
    if (busybox !== undefined) {
      await publishFile(busybox, join(folder, 'busybox'), 0o755);
      versions.busybox = `busybox ${basename(busybox)} sha256=${await digestFile(busybox)}`;
    }
    await writeAtomically(join(folder, 'versions'), `${lines(versions).join('\n')}\n`);
    return { versions: lines(versions), done: true };
  });
}

/** What a folder was filled for: one of before has not all modules. */
const WANTED = 'modules/wanted';

function hasModules(folder: string): boolean {
  const wanted = join(folder, WANTED);
  return existsSync(wanted) && readFileSync(wanted, 'utf8') === MODULES.join('\n');
}

function expectReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isFile()) return;
  } catch (error) {
    throw unreadable(path, error instanceof Error ? error.message : String(error), error);
  }
  throw unreadable(path, 'it is no file');
}

function unreadable(path: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`${path} cannot be read: ${why}`, {
    code: 'artifact-missing',
    step: 'install',
    remedy: 'name a file that exists and that you may read',
    cause,
  });
}

interface Versions {
  kernel: string | undefined;
  busybox: string | undefined;
}

function readVersions(folder: string): Versions {
  const path = join(folder, 'versions');
  const all = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return {
    kernel: all.find((line) => /^(linux-image-|kernel )/.test(line)),
    busybox: all.find((line) => line.startsWith('busybox')),
  };
}

/** Whether the kernel is the user's own, for which there are no modules here. */
function isOfUser(kernel: string): boolean {
  return kernel.startsWith('kernel ');
}

function lines({ kernel, busybox }: Versions): string[] {
  return [kernel, busybox].filter((line) => line !== undefined);
}

async function download(
  { signal, say }: PrepareRequest,
  wanted: { readonly kernel: boolean; readonly busybox: boolean },
  log: string,
  folder: string,
): Promise<readonly string[]> {
  expectApt();
  const supervisor = await Supervisor.open();
  const work = await supervisor.temporaryFolder('linux');
  try {
    const context: DownloadContext = { work: work.path, log, signal, say };
    const files = await downloadDebian(wanted, context);
    if (wanted.kernel) {
      await publishFile(theOne(files, /^boot\/vmlinuz-/), join(folder, 'vmlinuz'), 0o644);
      await publishModules(files, folder, context);
    }
    if (wanted.busybox) await publishFile(theOne(files, /^(usr\/)?bin\/busybox$/), join(folder, 'busybox'), 0o755);
    return files.packages;
  } finally {
    await work.remove();
  }
}

/** Paths in the unpacked packages, relative to their root. */
function pathsIn({ tree }: DebianFiles): string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' });
}

function theOne(files: DebianFiles, pattern: RegExp): string {
  const path = pathsIn(files).find((name) => pattern.test(name));
  if (path !== undefined) return join(files.tree, path);
  throw new PetriError(`${files.packages.join(', ')} has no file ${pattern.source}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'give files of your own: petri linux install --kernel FILE --busybox FILE',
  });
}

async function publishModules(
  files: DebianFiles,
  folder: string,
  { work, log, signal }: DownloadContext,
): Promise<void> {
  const paths = pathsIn(files);
  const fresh = join(work, 'modules');
  await mkdir(fresh);
  const loaded: string[] = [];
  for (const module of MODULES) {
    const path = paths.find((name) => [`${module}.ko`, `${module}.ko.xz`].includes(basename(name)));
    if (path === undefined) continue;
    const file = join(files.tree, path);
    if (path.endsWith('.xz')) await runSupervised({ argv: ['xz', '-d', file] }, log, signal);
    await publishFile(file.replace(/\.xz$/, ''), join(fresh, `${module}.ko`), 0o644);
    loaded.push(`${module}.ko\n`);
  }
  await writeFile(join(fresh, 'load'), loaded.join(''));
  await writeFile(join(fresh, basename(WANTED)), MODULES.join('\n'));
  const target = join(folder, 'modules');
  const staged = `${target}.tmp`;
  rmSync(staged, { recursive: true, force: true });
  // The work folder may be on another file system.
  for (const name of readdirSync(fresh)) await publishFile(join(fresh, name), join(staged, name), 0o644);
  rmSync(target, { recursive: true, force: true });
  renameSync(staged, target);
}
