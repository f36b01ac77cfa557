import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { ask } from './command.ts';
import type { StackStep } from './step.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Something that is missing, and what to do about it. */
export type Shortage =
  { readonly what: string; readonly debianPackage: string } | { readonly what: string; readonly remedy: string };

/** A program, and the Debian package that has it. */
export interface NeededProgram {
  readonly program: string;
  readonly debianPackage: string;
}

/** Programs for building any stack, and for copying root file systems. */
export const commonPrograms: readonly NeededProgram[] = [
  { program: 'git', debianPackage: 'git' },
  { program: 'make', debianPackage: 'make' },
  { program: 'gcc', debianPackage: 'gcc' },
  { program: 'aarch64-linux-gnu-gcc', debianPackage: 'gcc-aarch64-linux-gnu' },
  { program: 'flex', debianPackage: 'flex' },
  { program: 'bison', debianPackage: 'bison' },
  { program: 'bc', debianPackage: 'bc' },
  { program: 'debugfs', debianPackage: 'e2fsprogs' },
  { program: 'e2fsck', debianPackage: 'e2fsprogs' },
  { program: 'resize2fs', debianPackage: 'e2fsprogs' },
];

const GIB = 2 ** 30;

/** Checks, each time, that building can succeed; installs nothing. */
export function prerequisitesStep(findShortages: () => Promise<readonly Shortage[]>): StackStep {
  return {
    name: 'prerequisites',
    title: 'Check what has to be installed',
    inputs: {},
    commands: [],
    preview: async () => (await findShortages()).map((shortage) => `missing: ${shortage.what}`),
    async run(context) {
      const shortages = await findShortages();
      for (const shortage of shortages) await context.log(`missing: ${shortage.what}`);
      if (shortages.length > 0) throw missing(shortages);
      await context.log('everything is installed');
    },
  };
}

/** All shortages in one error, with one command for all packages. */
function missing(shortages: readonly Shortage[]): PetriError {
  const packages = shortages.flatMap((shortage) => ('debianPackage' in shortage ? [shortage.debianPackage] : []));
  const remedies = shortages.flatMap((shortage) => ('remedy' in shortage ? [shortage.remedy] : []));
  const install = packages.length === 0 ? [] : [`sudo apt-get install ${[...new Set(packages)].join(' ')}`];
  return new PetriError(`missing: ${shortages.map((shortage) => shortage.what).join('; ')}`, {
    code: 'tool-missing',
    step: 'install',
    remedy: [...install, ...new Set(remedies)].join('; '),
  });
}

export function programShortages(programs: readonly NeededProgram[], env: Environment): Shortage[] {
  const absent = programs.filter(({ program }) => findProgram(program, env) === undefined);
  return absent.map(({ program, debianPackage }) => ({ what: program, debianPackage }));
}

/** Path of a program, also in the folders for administrators: nothing here needs their rights. */
export function findProgram(program: string, env: Environment): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A header is not a program, so dpkg, if there is one, is asked for its package. */
export async function headerShortage(header: string, debianPackage: string, env: Environment): Promise<Shortage[]> {
  const shortage = { what: header, debianPackage };
  if (findProgram('dpkg-query', env) === undefined) return existsSync(join('/usr/include', header)) ? [] : [shortage];
  const status = await tryAsk(['dpkg-query', '--show', '--showformat=${Status}', debianPackage], env);
  return status.answer === 'install ok installed' ? [] : [shortage];
}

/** Requirements of tmk_vmm and simple_tmk. */
export async function rustShortage(env: Environment): Promise<Shortage[]> {
  const have = 'or give a tmk_vmm that you have: --tmk-vmm PATH, or PETRI_TMK_VMM';
  if (findProgram('cargo', env) === undefined) {
    return [{ what: 'cargo, which builds tmk_vmm and simple_tmk', remedy: `install Rust with rustup, ${have}` }];
  }
  return [...(await rustTargetShortage(env, have)), ...(await rustSourceShortage(env, have))];
}

/** The target of simple_tmk has no prebuilt core library, so its source is needed. */
async function rustSourceShortage(env: Environment, have: string): Promise<Shortage[]> {
  const sysroot = (await tryAsk(['rustc', '--print', 'sysroot'], env)).answer;
  if (sysroot !== undefined && existsSync(join(sysroot, 'lib/rustlib/src/rust/library/core'))) return [];
  return [{ what: "Rust's own source, for simple_tmk", remedy: `rustup component add rust-src, ${have}` }];
}

async function rustTargetShortage(env: Environment, have: string): Promise<Shortage[]> {
  const libraries = ['rustc', '--print', 'target-libdir', '--target', 'aarch64-unknown-linux-gnu'] as const;
  const folder = (await tryAsk(libraries, env)).answer;
  if (folder !== undefined && existsSync(folder)) return [];
  const remedy = `rustup target add aarch64-unknown-linux-gnu, ${have}`;
  return [{ what: "Rust's aarch64-unknown-linux-gnu target", remedy }];
}

/**
 * @param needed GiB of free disk space below the root, and of memory
 * @param whyMemory what needs the memory, as a clause
 */
export async function roomShortage(
  root: string,
  needed: { readonly disk: number; readonly memory: number },
  whyMemory: string,
): Promise<Shortage[]> {
  let folder = root;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIB;
  const memory = totalmem() / GIB;
  return [
    ...(free >= needed.disk
      ? []
      : [
          {
            what: `${String(needed.disk)} GiB of disk space in ${folder} (${free.toFixed(1)} are free)`,
            remedy: 'make room, or give another folder with --root',
          },
        ]),
    ...(memory >= needed.memory
      ? []
      : [
          {
            what: `${String(needed.memory)} GiB of memory (there are ${memory.toFixed(1)})`,
            remedy: `${whyMemory}: use a larger machine`,
          },
        ]),
  ];
}

export type Answer = { readonly answer: string } | { readonly answer: undefined; readonly why: string };

/** As `ask`, for commands that may fail. */
export async function tryAsk(argv: readonly [string, ...string[]], env: Environment): Promise<Answer> {
  try {
    return { answer: await ask(argv, { env: { ...env } }) };
  } catch (error) {
    return { answer: undefined, why: error instanceof Error ? error.message : String(error) };
  }
}

/** First line of `--version`, or why there is none. */
export async function versionOf(program: string, env: Environment): Promise<string> {
  if (findProgram(program, env) === undefined) return 'not installed';
  const version = await tryAsk([program, '--version'], env);
  return version.answer === undefined ? `unusable: ${version.why}` : (version.answer.split('\n')[0] ?? '');
}
