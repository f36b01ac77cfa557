import type { ProbeResult } from '../backend.ts';
import type { Feature, IsolationType, VmConfig } from '../vm/index.ts';

const MIB = 2 ** 20;

export interface Demand {
  readonly isolation: IsolationType;
  readonly requires: readonly Feature[];
}

/** Why tests of an isolation type are not to run, by what the user selected. */
export function unselected(
  isolation: IsolationType,
  selected: readonly IsolationType[] | undefined,
): string | undefined {
  if (selected === undefined || selected.length === 0 || selected.includes(isolation)) return undefined;
  return `isolation type '${isolation}' is not selected: --isolation=${selected.join(',')}`;
}

/** Why a backend cannot run a test, in a sentence that names what is missing. */
export function incapable(backend: string, probe: ProbeResult, { isolation, requires }: Demand): string | undefined {
  if (!probe.available)
    return `backend '${backend}' cannot run here: ${probe.missing.map(({ what }) => what).join(', ')}`;
  const features = probe.isolation[isolation];
  const lacking = probe.lacking?.[isolation];
  if (features === undefined && lacking !== undefined) {
    return `backend '${backend}' does not make VMs of isolation type '${isolation}' here: ${lacking.map(({ what }) => what).join(', ')}`;
  }
  if (features === undefined) {
    const types = Object.keys(probe.isolation).map((type) => `'${type}'`);
    return `backend '${backend}' does not make VMs of isolation type '${isolation}': it makes ${types.join(', ') || 'none'}`;
  }
  const missing = requires.filter((feature) => !features.includes(feature)).map((feature) => `'${feature}'`);
  return missing.length === 0
    ? undefined
    : `backend '${backend}' does not have ${missing.join(', ')} for isolation type '${isolation}'`;
}

/** Why a backend cannot make a VM of this size. */
export function beyondLimits(backend: string, probe: ProbeResult, config: VmConfig): string | undefined {
  if (!probe.available) return undefined;
  const { minMemory = 0, maxMemory, maxVcpus, maxPlanes } = probe.limits;
  if (config.memory < minMemory) {
    return `the test makes a VM of ${config.memory / MIB} MiB, backend '${backend}' needs at least ${Math.ceil(minMemory / MIB)} MiB`;
  }
  if (config.memory > maxMemory) {
    return `the test needs ${config.memory / MIB} MiB of memory, backend '${backend}' gives at most ${Math.floor(maxMemory / MIB)} MiB`;
  }
  if (config.vcpus > maxVcpus)
    return `the test needs ${config.vcpus} vCPUs, backend '${backend}' gives at most ${maxVcpus}`;
  if (config.planes > maxPlanes) {
    return `the test needs ${config.planes} auxiliary planes, backend '${backend}' gives at most ${maxPlanes}`;
  }
  return undefined;
}
