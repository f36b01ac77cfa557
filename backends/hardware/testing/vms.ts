import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { linux, tmk, type LinuxOptions } from '../../../petri/payload/index.ts';
import { Supervisor } from '../../../petri/kit/process/index.ts';
import { HANGS } from '../../../petri/unit-test/hangs.ts';
import { launchVm, resolveVmConfig, type LinuxVm, type TmkVm, type Vm } from '../../../petri/vm/index.ts';
import { backend } from '../index.ts';
import { closeLab } from '../lab.ts';
import type { TestSshd } from './sshd.ts';

/** Makes VMs on the test machine like the framework does. */
export class TestVms {
  readonly folder: string;
  readonly #sshd: TestSshd;
  readonly #vms: Vm[] = [];
  #count = 0;

  constructor(sshd: TestSshd) {
    this.#sshd = sshd;
    this.folder = mkdtempSync(join(tmpdir(), 'petri-hardware-'));
  }

  /** Writes the hosts file for everything that follows. */
  async hosts(...hosts: readonly Record<string, unknown>[]): Promise<string> {
    await closeLab();
    const path = join(this.folder, 'hosts.yaml');
    writeFileSync(path, this.#sshd.hostsFile(hosts));
    process.env['PETRI_HOSTS'] = path;
    return path;
  }

  async launch(
    name = 'hello',
    {
      isolation = 'none',
      ...options
    }: { readonly isolation?: 'none' | 'cca'; readonly deadline?: number; readonly test?: string } = {},
  ): Promise<TmkVm> {
    const payload = tmk(name);
    const spec = { isolation, payload, config: resolveVmConfig({ consoleLimit: '128M' }), machine: 'shared' } as const;
    const vm = await launchVm(backend, spec, {
      directory: join(this.folder, `vm-${String((this.#count += 1))}`),
      features: ['serial.write', 'tmk', 'tmk.events', 'reset', 'inspect.registers'],
      deadline: HANGS,
      test: payload.image.tests[0]?.name,
      ...options,
    });
    this.#vms.push(vm);
    return vm;
  }

  async launchLinux(options: LinuxOptions = {}, deadline = HANGS): Promise<LinuxVm> {
    const config = resolveVmConfig({ memory: '256M', vcpus: 2 });
    const spec = { isolation: 'none', payload: linux(options), config, machine: 'shared' } as const;
    const vm = await launchVm(backend, spec, {
      directory: join(this.folder, `vm-${String((this.#count += 1))}`),
      features: ['linux', 'exec', 'reset', 'inspect.registers'],
      deadline,
    });
    this.#vms.push(vm);
    return vm;
  }

  /** Ends all VMs and releases what they held. */
  async clear(): Promise<void> {
    await Promise.all(this.#vms.splice(0).map((vm) => vm.kill()));
    await closeLab();
  }

  async end(): Promise<void> {
    await this.clear();
    await Supervisor.current()?.close();
    delete process.env['PETRI_HOSTS'];
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A launcher that is a shell script. */
export function script(text: string): Record<string, unknown> {
  return { none: { kind: 'command', argv: ['sh', '-c', text, 'sh', '${payload}', '${test}', '${folder}'] } };
}
