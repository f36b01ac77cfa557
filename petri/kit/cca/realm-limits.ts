import { type BackendLimits, defaultIpaWidth, type VmSpec } from '../../contract/index.ts';
import { fitsCommand } from './agent-protocol.ts';

const MIB = 2 ** 20;

/**
 * Limits of realms whose tests run in tmk_vmm: Linux in plane 0 needs its share of the RAM; kvmtool makes one vCPU and
 * one auxiliary plane.
 *
 * @param maxMemory bytes that the host can spare from its own RAM
 */
export function realmLimits(maxMemory: number): BackendLimits {
  return { minMemory: 256 * MIB, maxMemory, maxVcpus: 1, maxPlanes: 1 };
}

/** Why kvmtool cannot make a realm of a configuration within `realmLimits`, in one sentence. */
export function kvmtoolRefuses({ config }: VmSpec): string | undefined {
  const usual = defaultIpaWidth(config.memory);
  if (config.ipaWidth !== usual) {
    return `kvmtool chooses the IPA width itself: ${usual} bits for ${config.memory / MIB} MiB, not ${config.ipaWidth}`;
  }
  const used = config.rpv.subarray(0, config.rpv.findLastIndex((byte) => byte !== 0) + 1);
  if (used.includes(0) || used.at(-1) === 0x0a || !fitsCommand(Buffer.from(used).toString('latin1'))) {
    return 'kvmtool takes a Realm Personalization Value as a text, without zeros inside and line ends at its end';
  }
  return undefined;
}
