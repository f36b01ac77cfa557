import { PetriError } from '../../petri/errors.ts';
import { beyondLimits, type VmSpec } from '../../petri/contract/index.ts';
import { linuxLimits } from '../../petri/kit/qemu/index.ts';
import { hostsFilePath, readHostsFile } from './hosts/hosts-file.ts';
import { runTags, suits } from './lab.ts';

/** Why no host can make a VM with this configuration. */
export function refusal({ isolation, payload, config, hostTags = [] }: VmSpec): string | undefined {
  if (payload.kind === 'tmk' && config.vcpus > 1)
    return `a TMK on a machine of the lab has 1 vCPU, and the test asks for ${String(config.vcpus)}`;
  // The maximum memory differs from host to host; the minimum for Linux does not.
  const limits = { ...linuxLimits, maxMemory: Infinity };
  const why = payload.kind === 'linux' ? beyondLimits('a machine of the lab', limits, config) : undefined;
  if (why !== undefined) return `the test ${why}`;
  if (hostTags.length === 0) return undefined;
  try {
    const wanted = { isolation, tags: [...runTags(), ...hostTags] };
    const found = readHostsFile(hostsFilePath(process.cwd())).some((host) => suits(host, wanted));
    return found ? undefined : `no host of petri.hosts.yaml has the tags ${wanted.tags.join(', ')}`;
  } catch (error) {
    // Launching reports the full error.
    if (error instanceof PetriError) return undefined;
    throw error;
  }
}
