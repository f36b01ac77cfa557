import type { BackendLimits } from './backend.ts';
import type { VmConfig } from './spec.ts';

const MIB = 2 ** 20;

/**
 * Why a VM of a configuration is beyond limits.
 *
 * @param giver who has the limits, such as `backend 'qemu'`
 * @returns a clause whose subject is the test or the VM, such as `needs 4 vCPUs, backend 'qemu' gives at most 1`;
 *   undefined within the limits
 */
export function beyondLimits(giver: string, limits: BackendLimits, config: VmConfig): string | undefined {
  const { minMemory = 0, maxMemory, maxVcpus, maxPlanes } = limits;
  const { memory, vcpus, planes } = config;
  if (memory < minMemory) {
    return `makes a VM of ${memory / MIB} MiB, ${giver} needs at least ${Math.ceil(minMemory / MIB)} MiB`;
  }
  if (memory > maxMemory) {
    return `needs ${memory / MIB} MiB of memory, ${giver} gives at most ${Math.floor(maxMemory / MIB)} MiB`;
  }
  if (vcpus > maxVcpus) return `needs ${vcpus} vCPUs, ${giver} gives at most ${maxVcpus}`;
  if (planes > maxPlanes) return `needs ${planes} auxiliary planes, ${giver} gives at most ${maxPlanes}`;
  return undefined;
}
