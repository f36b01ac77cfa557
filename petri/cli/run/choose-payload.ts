import { closeSync, openSync, readSync } from 'node:fs';

import type { ImagePayload, LinuxPayload } from '../../contract/index.ts';
import { PetriError } from '../../errors.ts';
import { checkKernel, image, linux } from '../../payload/index.ts';
import type { RunOptions } from './options.ts';

/** Options that only one kind of payload takes, by the kind. */
const onlyImages = ['el', 'load', 'entry', 'flash', 'machine'] as const;

/**
 * What `petri run` boots: `linux`, the installed kernel; a file that is a kernel; or any other as an image.
 *
 * @throws PetriError of `linux()` and `image()`, `invalid-option`
 */
export function choosePayload(name: string, options: RunOptions): LinuxPayload | ImagePayload {
  const isKernel = name === 'linux' || looksLikeKernel(name);
  if (!isKernel) {
    return image({
      file: name,
      ...(options.machine === undefined ? {} : { board: options.machine }),
      ...(options.el === undefined ? {} : { el: options.el }),
      ...(options.load === undefined ? {} : { load: options.load }),
      ...(options.entry === undefined ? {} : { entry: options.entry }),
      ...(options.flash === undefined ? {} : { flash: options.flash }),
      ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
      ...(options.disk === undefined ? {} : { disk: options.disk }),
      ...(options.append === undefined ? {} : { commandLine: options.append }),
    });
  }
  const refused = onlyImages.filter((option) => options[option] !== undefined);
  if (refused.length > 0) {
    throw new PetriError(`a Linux kernel takes no ${refused.map((option) => `--${option}`).join(', ')}`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'leave it out: where a kernel is loaded is in its header, and it boots on virt',
    });
  }
  return linux({
    ...(name === 'linux' ? {} : { kernel: name }),
    ...(options.initrd === undefined ? {} : { initramfs: options.initrd }),
    ...(options.disk === undefined ? {} : { disk: options.disk }),
    commandLine: options.append ?? '',
  });
}

const GZIP = 0x1f8b;
/** "MZ" at the start of what EFI can start, and of arm64 kernels with an EFI stub. */
const EFI = 0x4d5a;

/** Whether a file is a kernel, or so much like one that what is wrong with it should be said of a kernel. */
function looksLikeKernel(path: string): boolean {
  const head = Buffer.alloc(64);
  let read: number;
  try {
    const file = openSync(path, 'r');
    try {
      read = readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // `image()` says that it is not there.
    return false;
  }
  if (read < head.length) return false;
  if (head.toString('latin1', 56, 60) === 'ARM\x64') return true;
  const magic = head.readUInt16BE();
  if (magic !== GZIP && magic !== EFI) return false;
  checkKernel(path);
  return true;
}
