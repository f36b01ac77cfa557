import {
  commonPrograms,
  findProgram,
  headerShortage,
  type NeededProgram,
  programShortages,
  roomShortage,
  rustShortage,
  type Shortage,
  tryAsk,
} from '../../../petri/kit/stack/index.ts';
import type { InstalledStack } from './installed.ts';

/** What will be built or run, which decides what is needed. */
export interface Needs {
  readonly root: string;
  readonly runtime: InstalledStack['shrinkwrap']['runtime'];
  /** Whether a Python environment is made. */
  readonly python: boolean;
  /** Whether tmk_vmm is built. */
  readonly rust: boolean;
  /** GiB that must be free below the root, and of memory. */
  readonly disk: number;
  readonly memory: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Programs in shrinkwrap's container image, which runs without it need. */
const withoutContainer: readonly NeededProgram[] = [
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

/** Everything that is missing, not only the first item. */
export async function findShortages(needs: Needs): Promise<Shortage[]> {
  return [
    ...programShortages([...commonPrograms, ...(needs.runtime === 'null' ? withoutContainer : [])], needs.env),
    // The kernel's scripts link with OpenSSL.
    ...(await headerShortage('openssl/ssl.h', 'libssl-dev', needs.env)),
    ...(needs.python ? await pythonShortage(needs) : []),
    ...bareMetalCompiler(needs),
    ...(await containerShortage(needs)),
    ...(needs.rust ? await rustShortage(needs.env) : []),
    ...(await roomShortage(needs.root, needs, 'the model alone takes 5 GiB')),
  ];
}

async function pythonShortage(needs: Needs): Promise<Shortage[]> {
  if (findProgram('python3', needs.env) === undefined) return [{ what: 'python3', debianPackage: 'python3' }];
  const old = await tryAsk(['python3', '-c', 'import sys; assert sys.version_info >= (3, 10), sys.version'], needs.env);
  if (old.answer === undefined) return [{ what: `Python 3.10 or newer (${old.why})`, debianPackage: 'python3' }];
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
  // podman rejects the template, but only after it has started; only a service that does not answer matters.
  if (info.answer !== undefined || (!isDocker && /template/.test(info.why))) return [];
  const join = 'sudo usermod -aG docker $USER, then log in again; or start the service: sudo systemctl start docker';
  return [{ what: `a usable ${program} (${info.why})`, remedy: isDocker ? join : 'make `podman info` work' }];
}
