import { join } from 'node:path';

import { checkRootPath } from '../../../petri/kit/stack/index.ts';
import { stackFile } from './installed.ts';

/** Paths of all parts of a stack below its root. */
export class StackLayout {
  readonly root: string;

  /** @throws PetriError `invalid-option` for a root that build scripts cannot handle */
  constructor(root: string) {
    checkRootPath(root, 'FVP stack', 'make and shrinkwrap');
    this.root = root;
  }

  get ownLock(): string {
    return join(this.root, 'cca.lock.yaml');
  }

  get stackFile(): string {
    return join(this.root, stackFile);
  }

  source(name: string): string {
    return join(this.root, 'sources', name);
  }

  get venv(): string {
    return join(this.root, 'venv');
  }

  get shrinkwrap(): string {
    return join(this.root, 'bin', 'shrinkwrap');
  }

  get overlays(): string {
    return join(this.root, 'overlays');
  }

  /** SHRINKWRAP_BUILD. */
  get build(): string {
    return join(this.root, 'shrinkwrap', 'build');
  }

  /** SHRINKWRAP_PACKAGE. */
  get package(): string {
    return join(this.root, 'shrinkwrap', 'package');
  }

  /** Intermediate files of our own builds. */
  objects(name: string): string {
    return join(this.root, 'objects', name);
  }

  get plane0Kernel(): string {
    return join(this.root, 'plane0', 'Image');
  }

  get tmkVmm(): string {
    return join(this.root, 'tmk_vmm', 'tmk_vmm');
  }

  get simpleTmk(): string {
    return join(this.root, 'simple_tmk', 'simple_tmk');
  }

  get plane0Folders() {
    return { source: this.source('plane0-linux'), objects: this.objects('plane0-linux'), target: this.plane0Kernel };
  }

  get tmkVmmFolders() {
    return { source: this.source('openvmm'), objects: this.objects('openvmm'), target: this.tmkVmm };
  }

  get simpleTmkFolders() {
    return { source: this.source('openvmm'), objects: this.objects('simple-tmk'), target: this.simpleTmk };
  }
}
