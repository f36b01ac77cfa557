import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { harmlessJson } from '../text/index.ts';
import { VmLog } from './vm-log.ts';

/** A VM's folder on disk. */
export class VmFolder {
  readonly path: string;
  readonly log: VmLog;
  #finished = false;

  constructor(path: string) {
    mkdirSync(path, { recursive: true });
    this.path = path;
    this.log = new VmLog(path);
  }

  attach(name: string, data: string | Uint8Array): string {
    const directory = join(this.path, 'attachments');
    mkdirSync(directory, { recursive: true });
    const [, stem = '', extension = ''] = /^(.+?)(\.[^.]*)?$/.exec(name.replaceAll(/[^\w.-]/g, '_')) ?? [];
    for (let number = 1; ; number += 1) {
      const path = join(directory, `${stem === '' ? 'file' : stem}${number === 1 ? '' : `-${number}`}${extension}`);
      if (existsSync(path)) continue;
      writeFileSync(path, data);
      return path;
    }
  }

  /** Writes `vm.json` and closes the log. Idempotent; never throws. */
  finish(record: () => object): void {
    if (this.#finished) return;
    this.#finished = true;
    try {
      writeFileSync(join(this.path, 'vm.json'), `${harmlessJson(record(), hexadecimal, 1)}\n`);
    } catch (error) {
      this.log.write(`vm.json could not be written: ${String(error)}`);
    }
    this.log.close();
  }
}

function hexadecimal(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}
