import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { PetriError } from '../../../petri/errors.ts';
import { ask, type StackStep } from '../../../petri/stack/index.ts';
import type { InstalledStack } from './installed.ts';

/** What will be built or run, and so what is needed. */
export interface Needs {
  readonly root: string;
  readonly runtime: InstalledStack['shrinkwrap']['runtime'];
  /** A Python environment is to be made. */
  readonly python: boolean;
  /** tmk_vmm is to be built. */
  readonly rust: boolean;
  /** GiB that must be free below the root, and of memory. */
  readonly disk: number;
  readonly memory: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Something that is not there, with what to do. */
export type Shortage =
  { readonly what: string; readonly debianPackage: string } | { readonly what: string; readonly remedy: string };

interface Program {
  readonly program: string;
  readonly debianPackage: string;
}

const always: readonly Program[] = [
  { program: 'git', debianPackage: 'git' },
  { program: 'make', debianPackage: 'make' },
  { program: 'gcc', debianPackage: 'gcc' },
  { program: 'aarch64-linux-gnu-gcc', debianPackage: 'gcc-aarch64-linux-gnu' },
  { program: 'flex', debianPackage: 'flex' },
  { program: 'bison', debianPackage: 'bison' },
  { program: 'bc', debianPackage: 'bc' },
  // For the copies of the root file system that tests run on.
  { program: 'debugfs', debianPackage: 'e2fsprogs' },
  { program: 'e2fsck', debianPackage: 'e2fsprogs' },
  { program: 'resize2fs', debianPackage: 'e2fsprogs' },
];

/** What shrinkwrap's container image has, for runs without it. */
const withoutContainer: readonly Program[] = [
  { program: 'cmake', debianPackage: 'cmake' },
  { program: 'dtc', debianPackage: 'device-tree-compiler' },
  { program: 'mcopy', debianPackage: 'mtools' },
  { program: 'mkfs.vfat', debianPackage: 'dosfstools' },
  { program: 'parted', debianPackage: 'parted' },
  { program: 'rsync', debianPackage: 'rsync' },
  { program: 'cpio', debianPackage: 'cpio' },
  { program: 'unzip', debianPackage: 'unzip' },
  { program: 'wget', debianPackage: 'wget' },
  { program: 'nc', debianPackage: 'netcat-openbsd' },
  { program: 'telnet', debianPackage: 'telnet' },
];

const GIB = 2 ** 30;

/** Checks, each time, that building can succeed; installs nothing. */
export function prerequisitesStep(needs: Needs): StackStep {
  return {
    name: 'prerequisites',
    title: 'Check what has to be installed',
    inputs: {},
    commands: [],
    preview: async () => (await findShortages(needs)).map((shortage) => `missing: ${shortage.what}`),
    async run(context) {
      const shortages = await findShortages(needs);
      for (const shortage of shortages) await context.log(`missing: ${shortage.what}`);
      if (shortages.length > 0) throw missing(shortages);
      await context.log('everything is there');
    },
  };
}

function missing(shortages: readonly Shortage[]): PetriError {
  const packages = shortages.flatMap((shortage) => ('debianPackage' in shortage ? [shortage.debianPackage] : []));
  const remedies = shortages.flatMap((shortage) => ('remedy' in shortage ? [shortage.remedy] : []));
  const install = packages.length === 0 ? [] : [`sudo apt-get install ${[...new Set(packages)].join(' ')}`];
  return new PetriError(`missing: ${shortages.map((shortage) => shortage.what).join('; ')}`, {
    code: 'tool-missing',
    step: 'install',
    remedy: [...install, ...new Set(remedies)].join('\n          '),
  });
}

/** Everything that is missing, not only the first. */
export async function findShortages(needs: Needs): Promise<Shortage[]> {
  const programs = [...always, ...(needs.runtime === 'null' ? withoutContainer : [])];
  const absent = programs.filter(({ program }) => findProgram(program, needs.env) === undefined);
  return [
    ...absent.map(({ program, debianPackage }) => ({ what: program, debianPackage })),
    ...(await headerShortage(needs)),
    ...(needs.python ? await pythonShortage(needs) : []),
    ...bareMetalCompiler(needs),
    ...(await containerShortage(needs)),
    ...(needs.rust ? await rustShortage(needs) : []),
    ...(await roomShortage(needs)),
  ];
}

/** Path of a program; those for administrators count, since nothing here needs to be one. */
export function findProgram(program: string, env: Needs['env']): string | undefined {
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

/** The kernel's scripts link with OpenSSL; headers are no program, so the package itself is asked for where there is dpkg. */
async function headerShortage(needs: Needs): Promise<Shortage[]> {
  const shortage = { what: 'openssl/ssl.h', debianPackage: 'libssl-dev' };
  if (findProgram('dpkg-query', needs.env) === undefined) {
    return existsSync('/usr/include/openssl/ssl.h') ? [] : [shortage];
  }
  const status = await tryAsk(['dpkg-query', '--show', '--showformat=${Status}', 'libssl-dev'], needs.env);
  return status.answer === 'install ok installed' ? [] : [shortage];
}

async function pythonShortage(needs: Needs): Promise<Shortage[]> {
  if (findProgram('python3', needs.env) === undefined) return [{ what: 'python3', debianPackage: 'python3' }];
  const old = await tryAsk(['python3', '-c', 'import sys; assert sys.version_info >= (3, 9), sys.version'], needs.env);
  if (old.answer === undefined) return [{ what: `Python 3.9 or newer (${old.why})`, debianPackage: 'python3' }];
  const venv = await tryAsk(['python3', '-c', 'import venv, ensurepip'], needs.env);
  return venv.answer === undefined ? [{ what: "Python's venv module", debianPackage: 'python3-venv' }] : [];
}

function bareMetalCompiler(needs: Needs): Shortage[] {
  if (needs.runtime !== 'null' || findProgram('aarch64-none-elf-gcc', needs.env) !== undefined) return [];
  const remedy = 'put the bin folder of the Arm GNU Toolchain (aarch64-none-elf) into PATH, or use --runtime docker';
  return [{ what: 'aarch64-none-elf-gcc, which builds the firmware', remedy }];
}

async function containerShortage(needs: Needs): Promise<Shortage[]> {
  if (needs.runtime === 'null') return [];
  const isDocker = needs.runtime.startsWith('docker');
  const program = isDocker ? 'docker' : 'podman';
  if (findProgram(program, needs.env) === undefined) {
    return [{ what: `${program}, for --runtime ${needs.runtime}`, debianPackage: isDocker ? 'docker.io' : 'podman' }];
  }
  const info = await tryAsk([program, 'info', '--format', '{{.ID}}'], needs.env);
  // podman has no such field and says so, having come to life; only silence of the service matters.
  if (info.answer !== undefined || (!isDocker && /template/.test(info.why))) return [];
  const join = 'sudo usermod -aG docker $USER, then log in again; or start the service: sudo systemctl start docker';
  return [{ what: `a usable ${program} (${info.why})`, remedy: isDocker ? join : 'make `podman info` work' }];
}

async function rustShortage(needs: Needs): Promise<Shortage[]> {
  const have = 'or give a tmk_vmm that you have: --tmk-vmm PATH, or PETRI_TMK_VMM';
  if (findProgram('cargo', needs.env) === undefined) {
    return [{ what: 'cargo, which builds tmk_vmm', remedy: `install Rust with rustup, ${have}` }];
  }
  const libraries = ['rustc', '--print', 'target-libdir', '--target', 'aarch64-unknown-linux-gnu'] as const;
  const folder = (await tryAsk(libraries, needs.env)).answer;
  if (folder !== undefined && existsSync(folder)) return [];
  const remedy = `rustup target add aarch64-unknown-linux-gnu, ${have}`;
  return [{ what: "Rust's aarch64-unknown-linux-gnu target", remedy }];
}

async function roomShortage(needs: Needs): Promise<Shortage[]> {
  let folder = needs.root;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = (bavail * bsize) / GIB;
  const memory = totalmem() / GIB;
  return [
    ...(free >= needs.disk
      ? []
      : [
          {
            what: `${String(needs.disk)} GiB of disk space in ${folder} (${free.toFixed(1)} are free)`,
            remedy: 'make room, or give another folder with --root',
          },
        ]),
    ...(memory >= needs.memory
      ? []
      : [
          {
            what: `${String(needs.memory)} GiB of memory (there are ${memory.toFixed(1)})`,
            remedy: 'the model alone takes 5 GiB: use a larger machine',
          },
        ]),
  ];
}

type Answer = { readonly answer: string } | { readonly answer: undefined; readonly why: string };

async function tryAsk(argv: readonly [string, ...string[]], env: Needs['env']): Promise<Answer> {
  try {
    return { answer: await ask(argv, { env: { ...env } }) };
  } catch (error) {
    return { answer: undefined, why: error instanceof Error ? error.message : String(error) };
  }
}
