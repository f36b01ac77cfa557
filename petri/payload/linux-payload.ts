import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { artifactVariable, identify } from '../artifacts/index.ts';
import type { LinuxPayload } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { anyText, checkOptions, oneOf, text, type Rule } from '../options/index.ts';
import { checkCommandLine } from './command-line.ts';
import { diskImage } from './disk-image.ts';
import { checkKernel } from './linux-kernel.ts';

/** What `linux()` boots. Relative paths are resolved against the working directory. */
export interface LinuxOptions {
  /** Path of the kernel. @default `$PETRI_ARTIFACT_LINUX_KERNEL`, else `.petri/linux/vmlinuz` */
  readonly kernel?: string;
  /**
   * Path of an initramfs, whose `/init` is started. For `vm.exec` it needs `sh`, `stty`, `base64`, `timeout`, `sed` and
   * `mount`.
   *
   * @default one made of busybox: `$PETRI_ARTIFACT_LINUX_BUSYBOX`, else `.petri/linux/busybox`
   */
  readonly initramfs?: string;
  /**
   * Path of a raw disk image, which the guest has as `/dev/vda`. What it writes to it is lost when it halts or resets.
   * The modules that come with the installed kernel are loaded for it; another kernel needs a driver for virtio-mmio of
   * its own.
   */
  readonly disk?: string;
  /** Additional parameters for the kernel's command line. @default 'quiet' */
  readonly commandLine?: string;
  /**
   * `'booted'`: where the simulator can, VMs do not boot but begin in the state that one was in when it had, with what
   * its console had shown. That state is made once and kept on disk; it depends on everything that goes into it, so it
   * is never an old one. Other backends boot as always.
   *
   * @default each VM boots
   */
  readonly snapshot?: 'booted';
}

/** Where `petri linux install` puts the files for `linux()`, relative to the working directory. */
export const preparedLinux = '.petri/linux';

const rules: Readonly<Record<keyof LinuxOptions, Rule>> = {
  kernel: text,
  initramfs: text,
  disk: text,
  commandLine: anyText,
  snapshot: oneOf(['booted']),
};

/**
 * A Linux to boot, checked at once.
 *
 * @throws PetriError `artifact-missing` if a file is missing, `image-invalid` for another kind of kernel or of disk,
 *   `invalid-option`
 */
export function linux(options: LinuxOptions = {}): LinuxPayload {
  checkOptions('linux()', options, rules);
  const path = given('linux-kernel', options.kernel, 'vmlinuz');
  checkKernel(path);
  const commandLine = options.commandLine ?? 'quiet';
  checkCommandLine(commandLine, "the kernel's parameters");
  const { snapshot } = options;
  const base = {
    kind: 'linux' as const,
    name: `linux ${path}`,
    path,
    commandLine,
    ...(options.disk === undefined ? {} : { disk: diskImage(options.disk), modules: modulesOf(path) }),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
  if (options.initramfs === undefined) return { ...base, busybox: given('linux-busybox', undefined, 'busybox') };
  return { ...base, initramfs: given('linux-initramfs', options.initramfs, 'initramfs') };
}

/** Modules that `petri linux install` has put beside a kernel, in load order. */
function modulesOf(kernel: string): string[] {
  const folder = join(dirname(kernel), 'modules');
  const list = join(folder, 'load');
  if (!existsSync(list)) return [];
  if (!existsSync(join(folder, 'wanted'))) {
    throw new PetriError(`${folder} is of an older version, and has no driver for disks`, {
      code: 'artifact-missing',
      step: 'payload',
      remedy: 'npx petri linux install downloads the modules',
    });
  }
  const names = readFileSync(list, 'utf8').split('\n');
  return names.filter((name) => name !== '').map((name) => join(folder, name));
}

/** Whether the files for `linux()` are installed here. */
export function linuxIsPrepared(): boolean {
  try {
    linux();
    return true;
  } catch {
    return false;
  }
}

function given(artifact: string, path: string | undefined, prepared: string): string {
  const variable = artifactVariable(artifact);
  const fromEnvironment = process.env[variable] ?? '';
  const chosen = resolve(path ?? (fromEnvironment === '' ? `${preparedLinux}/${prepared}` : fromEnvironment));
  if (identify(chosen) !== undefined) return chosen;
  throw new PetriError(`there is no file ${chosen}`, {
    code: 'artifact-missing',
    step: 'payload',
    remedy: `npx petri linux install downloads Debian's kernel and busybox; or set ${variable} to a file`,
  });
}
