import { PetriError } from '../../petri/errors.ts';
import { shared } from '../../petri/shared.ts';
import type { IsolationType } from '../../petri/contract/index.ts';
import { hostsFilePath, readHostsFile } from './hosts/hosts-file.ts';
import type { HostConfig, LauncherConfig, MonitorQemuConfig } from './hosts/schema.ts';
import { endLeaseGuard } from './lease/lease-guard.ts';
import type { LeaseWait } from './lease/lease.ts';
import { Machine, type MachineUse } from './machine.ts';

/** Tags that every VM of a run needs, in addition to its own: `PETRI_HOST_TAGS=cca,rack-2`. */
export function runTags(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  return (env['PETRI_HOST_TAGS'] ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

export interface Wanted {
  readonly isolation: IsolationType;
  /** @default 'tmk' */
  readonly payload?: 'tmk' | 'linux';
  /** Required tags. The name of a host is one of its tags. */
  readonly tags: readonly string[];
}

export function launcherFor({ launchers }: HostConfig, isolation: IsolationType): LauncherConfig | undefined {
  return isolation === 'vbs' ? undefined : launchers[isolation];
}

/** The launcher that boots Linux as a payload. */
export function linuxLauncherFor(host: HostConfig, isolation: IsolationType): MonitorQemuConfig | undefined {
  const { none } = host.launchers;
  return isolation === 'none' && none?.kind === 'qemu' ? none : undefined;
}

export function suits(host: HostConfig, { isolation, payload, tags }: Wanted): boolean {
  const launcher = payload === 'linux' ? linuxLauncherFor(host, isolation) : launcherFor(host, isolation);
  return launcher !== undefined && tags.every((tag) => tag === host.name || host.tags.includes(tag));
}

/** All machines of the hosts file, as used by this process. */
export class Lab {
  readonly #machines: readonly Machine[];

  constructor(hosts: readonly HostConfig[]) {
    this.#machines = hosts.map((host) => new Machine(host));
  }

  get hosts(): HostConfig[] {
    return this.#machines.map(({ config }) => config);
  }

  /**
   * Queues for all suitable machines at once, and takes the first one that is granted.
   *
   * @throws PetriError `unsupported` if none is suitable, `wait-timeout`; if none can be reached, the error of the
   * first
   */
  async use(wanted: Wanted, { signal, onWait }: LeaseWait): Promise<MachineUse> {
    const candidates = this.#machines.filter(({ config }) => suits(config, wanted));
    if (candidates.length === 0) {
      throw new PetriError(
        `no host makes VMs of isolation type '${wanted.isolation}'${wanted.payload === 'linux' ? ' with Linux' : ''}${wanted.tags.length > 0 ? ` and has the tags ${wanted.tags.join(', ')}` : ''}`,
        { code: 'unsupported', step: 'launch', remedy: 'npx petri hosts shows what there is' },
      );
    }
    const others = new AbortController();
    const both = signal === undefined ? others.signal : AbortSignal.any([signal, others.signal]);
    let taken: MachineUse | undefined;
    const attempts = candidates.map(async (machine) => {
      const use = await machine.use({ signal: both, onWait });
      if (taken !== undefined) {
        await use.release();
        throw new Error('another machine was quicker');
      }
      taken = use;
      others.abort();
      return use;
    });
    try {
      return await Promise.any(attempts);
    } catch (error) {
      const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error];
      throw first;
    } finally {
      await Promise.allSettled(attempts);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#machines.map((machine) => machine.close()));
  }
}

const own = shared<{ lab?: Lab }>('hardware-lab', () => ({}));

/**
 * The lab of this process: several instances of this module share its connections.
 *
 * @throws PetriError `hosts-file-invalid`
 */
export function openLab(): Lab {
  own.lab ??= new Lab(readHostsFile(hostsFilePath(process.cwd())));
  return own.lab;
}

export async function closeLab(): Promise<void> {
  const { lab } = own;
  delete own.lab;
  await lab?.close();
  await endLeaseGuard();
}
