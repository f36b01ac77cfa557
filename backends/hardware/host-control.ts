import type { HostReport, Missing, PowerAction } from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { hostsFilePath, readHostsFile } from './hosts/hosts-file.ts';
import type { HostConfig } from './hosts/schema.ts';
import { FileLeases, type LeaseState } from './lease/file-lease.ts';
import { switchBoard } from './power/power.ts';
import { assess } from './probe/assess.ts';
import { askHost } from './probe/host-facts.ts';
import { missingOf } from './probe/probe-lab.ts';
import { HostFolder } from './remote/host-folder.ts';
import { RemoteHost } from './ssh/remote-host.ts';

/** Queries all hosts of the hosts file at once. @throws PetriError `hosts-file-invalid` */
export async function listHosts(): Promise<HostReport[]> {
  return await Promise.all(readHostsFile(hostsFilePath(process.cwd())).map(report));
}

async function report(config: HostConfig): Promise<HostReport> {
  const { name, address, port, user, tags, capacity } = config;
  const base = { name, address: `${user}@${address}:${String(port)}`, tags, capacity };
  try {
    const facts = await askHost(config);
    const { holders, waiting } = await leaseState(config);
    const versions = Object.fromEntries(facts.versions);
    return {
      ...base,
      isolation: Object.fromEntries(
        [...assess(config, facts)].map(([type, result]) => [
          type,
          'missing' in result ? result.missing : result.features,
        ]),
      ),
      facts: { arch: facts.arch, kernel: facts.kernel, cpus: String(facts.cpus), kvm: facts.kvm, ...versions },
      holders,
      waiting,
    };
  } catch (error) {
    const problem: Missing = missingOf(error);
    return { ...base, isolation: {}, facts: {}, holders: [], waiting: [], problem };
  }
}

async function leaseState(config: HostConfig): Promise<LeaseState> {
  return (await withLeases(config, (leases) => leases.show())) ?? { holders: [], waiting: [] };
}

/** @throws PetriError `invalid-option`, `unsupported`, and what connecting throws */
export async function releaseHost(name: string): Promise<number> {
  const config = hostNamed(name);
  const count = await withLeases(config, (leases) => leases.break());
  if (count !== undefined) return count;
  throw new PetriError(`${name} is leased through labgrid`, {
    code: 'unsupported',
    step: 'options',
    remedy: 'use labgrid-client release --kick',
  });
}

/** @throws PetriError `invalid-option`, `power-failed` */
export async function switchPower(name: string, action: PowerAction): Promise<string> {
  const { power, lease } = hostNamed(name);
  if (power === undefined) {
    throw new PetriError(`the hosts file does not say how to switch the power of ${name}`, {
      code: 'power-failed',
      step: 'options',
      remedy: 'add `power`, as docs/hardware.md shows',
    });
  }
  return await switchBoard(name, power, action, lease);
}

/** undefined if leases are not kept on the host. */
async function withLeases<T>(config: HostConfig, use: (leases: FileLeases) => Promise<T>): Promise<T | undefined> {
  if (config.lease.kind !== 'file') return undefined;
  const host = new RemoteHost(config);
  try {
    return await use(new FileLeases(host, await HostFolder.open(host), config.lease));
  } finally {
    host.close();
  }
}

function hostNamed(name: string): HostConfig {
  const hosts = readHostsFile(hostsFilePath(process.cwd()));
  const host = hosts.find((one) => one.name === name);
  if (host !== undefined) return host;
  throw new PetriError(`there is no host '${name}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `the hosts are ${hosts.map((one) => one.name).join(', ')}`,
  });
}
