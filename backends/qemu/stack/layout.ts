import { join } from 'node:path';

import { checkRootPath } from '../../../petri/kit/stack/index.ts';
import { firmwareFile, stackFile } from './installed.ts';

/** Paths of all parts of a stack below its root. */
export class StackLayout {
  readonly root: string;
  readonly ownLock: string;
  readonly stackFile: string;
  /** Describes a stack of which only firmware was requested. */
  readonly firmwareFile: string;

  /** The parts of a flash image, and the image itself. */
  readonly rmm: string;
  readonly edk2: string;
  /** The user's replacement for EDK2. */
  readonly bl33: string;
  readonly bl1: string;
  readonly fip: string;
  readonly flash: string;

  readonly hostKernel: string;
  readonly lkvm: string;
  readonly busybox: string;
  /** The commands of busybox, one path per line. */
  readonly busyboxLinks: string;
  readonly rootfs: string;
  readonly plane0Kernel: string;
  readonly tmkVmm: string;
  readonly simpleTmk: string;
  /** Where a QEMU of our own is installed, and its program. */
  readonly qemuPrefix: string;
  readonly qemu: string;

  /** @throws PetriError `invalid-option` for a root that build scripts cannot handle */
  constructor(root: string) {
    checkRootPath(root, 'QEMU stack for realms', 'make and EDK2');
    this.root = root;
    this.ownLock = join(root, 'cca.lock.yaml');
    this.stackFile = join(root, stackFile);
    this.firmwareFile = join(root, firmwareFile);
    const firmware = (name: string): string => join(root, 'firmware', name);
    this.rmm = firmware('rmm.img');
    this.edk2 = firmware('QEMU_EFI.fd');
    this.bl33 = firmware('bl33.bin');
    this.bl1 = firmware('bl1.bin');
    this.fip = firmware('fip.bin');
    this.flash = firmware('flash.bin');
    const host = (name: string): string => join(root, 'host', name);
    this.hostKernel = host('Image');
    this.lkvm = host('lkvm');
    this.busybox = host('busybox');
    this.busyboxLinks = host('busybox.links');
    this.rootfs = host('rootfs.ext4');
    this.plane0Kernel = join(root, 'plane0', 'Image');
    this.tmkVmm = join(root, 'tmk_vmm', 'tmk_vmm');
    this.simpleTmk = join(root, 'simple_tmk', 'simple_tmk');
    this.qemuPrefix = join(root, 'qemu');
    this.qemu = join(this.qemuPrefix, 'bin', 'qemu-system-aarch64');
  }

  source(name: string): string {
    return join(this.root, 'sources', name);
  }

  /** Intermediate files of a build. */
  objects(name: string): string {
    return join(this.root, 'objects', name);
  }
}
