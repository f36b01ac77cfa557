import {
  commonPrograms,
  crossCompile,
  findProgram,
  headerShortage,
  type NeededProgram,
  programShortages,
  roomShortage,
  rustShortage,
  type Shortage,
  tryAsk,
} from '../../../petri/kit/stack/index.ts';
import { type QemuChoice, rmeShortage } from './qemu-program.ts';

/** What will be built, which decides what is needed. */
export interface Needs {
  readonly root: string;
  readonly qemu: QemuChoice;
  /** Whether tmk_vmm is built. */
  readonly rust: boolean;
  /** Whether EDK2 is built. */
  readonly edk2: boolean;
  /** Whether only firmware is built. */
  readonly firmwareOnly: boolean;
  /** GiB that must be free below the root, and of memory. */
  readonly disk: number;
  readonly memory: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const programs: readonly NeededProgram[] = [
  { program: 'g++', debianPackage: 'g++' },
  // TF-RMM's build requires a compiler for each language before it builds anything.
  { program: 'aarch64-linux-gnu-g++', debianPackage: 'g++-aarch64-linux-gnu' },
  { program: 'cmake', debianPackage: 'cmake' },
  { program: 'python3', debianPackage: 'python3' },
  { program: 'bash', debianPackage: 'bash' },
];

const forEdk2: readonly NeededProgram[] = [{ program: 'iasl', debianPackage: 'acpica-tools' }];

const forHost: readonly NeededProgram[] = [{ program: 'mke2fs', debianPackage: 'e2fsprogs' }];

const forQemu: readonly NeededProgram[] = [
  { program: 'ninja', debianPackage: 'ninja-build' },
  { program: 'pkg-config', debianPackage: 'pkg-config' },
];

/** Everything that is missing, not only the first item. */
export async function findShortages(needs: Needs): Promise<Shortage[]> {
  const { root, qemu, rust, edk2, firmwareOnly, disk, memory, env } = needs;
  const own = qemu.kind === 'own' && !firmwareOnly;
  const wanted = [...(edk2 ? forEdk2 : []), ...(firmwareOnly ? [] : forHost), ...(own ? forQemu : [])];
  return [
    ...programShortages([...commonPrograms, ...programs, ...wanted], env),
    // For fiptool of TF-A and the kernel's scripts; for EDK2's tools.
    ...(await headerShortage('openssl/ssl.h', 'libssl-dev', env)),
    ...(edk2 ? await headerShortage('uuid/uuid.h', 'uuid-dev', env) : []),
    ...(firmwareOnly ? [] : await staticLibc(env)),
    ...(await pythonModule('elftools', 'python3-pyelftools', env)),
    ...(own ? await headerShortage('glib-2.0/glib.h', 'libglib2.0-dev', env) : []),
    ...(own ? await pythonModule('venv, ensurepip', 'python3-venv', env) : []),
    ...(firmwareOnly || qemu.kind === 'own' ? [] : await qemuShortage(qemu)),
    ...(rust ? await rustShortage(env) : []),
    ...(await roomShortage(root, { disk, memory }, 'the host alone takes 3 GiB')),
  ];
}

/** kvmtool's init in plane 0 and busybox are linked statically. */
async function staticLibc(env: Needs['env']): Promise<Shortage[]> {
  const compiler = `${crossCompile}gcc`;
  if (findProgram(compiler, env) === undefined) return [];
  const found = await tryAsk([compiler, '-print-file-name=libc.a'], env);
  if (found.answer?.startsWith('/') === true) return [];
  return [{ what: 'libc.a for arm64', debianPackage: 'libc6-dev-arm64-cross' }];
}

async function pythonModule(module: string, debianPackage: string, env: Needs['env']): Promise<Shortage[]> {
  if (findProgram('python3', env) === undefined) return [];
  const found = await tryAsk(['python3', '-c', `import ${module}`], env);
  return found.answer === undefined ? [{ what: `Python's ${module}`, debianPackage }] : [];
}

async function qemuShortage(choice: Exclude<QemuChoice, { kind: 'own' }>): Promise<Shortage[]> {
  const what = await rmeShortage(choice.kind === 'given' ? choice.path : choice.command);
  const remedy =
    'give a QEMU that has it (10 and later do), such as the one of Debian backports: --qemu PATH; or build one: --qemu own';
  return what === undefined ? [] : [{ what, remedy }];
}
