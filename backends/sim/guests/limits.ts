import { PetriError } from '../../../petri/errors.ts';
import type { VmConfig } from '../../../petri/contract/spec.ts';
import { MIB } from './board-limits.ts';
import type { GuestLimits } from './kind.ts';

/** @throws PetriError `invalid-config` */
export function checkConfig(limits: GuestLimits, config: VmConfig): void {
  const { minMemory, maxMemory, maxVcpus, maxPlanes, ipaWidth } = limits;
  if (config.vcpus < 1 || config.vcpus > maxVcpus) {
    throw invalid(`vcpus is ${config.vcpus}`, `the simulated machine has ${maxVcpus} vCPU`);
  }
  if (config.memory % (2 * MIB) !== 0 || config.memory < minMemory || config.memory > maxMemory) {
    throw invalid(
      `memory is ${config.memory} bytes`,
      `give a multiple of 2 MiB from ${minMemory / MIB} MiB to ${maxMemory / MIB} MiB`,
    );
  }
  if (!(config.maxInstructions > 0)) {
    throw invalid(`maxInstructions is ${config.maxInstructions}`, 'give a positive number');
  }
  if (maxPlanes > 0 && (config.planes < 1 || config.planes > maxPlanes)) {
    throw invalid(`planes is ${config.planes}`, `give 1 to ${maxPlanes} auxiliary planes`);
  }
  if (ipaWidth !== undefined && (config.ipaWidth < ipaWidth.min || config.ipaWidth > ipaWidth.max)) {
    throw invalid(`ipaWidth is ${config.ipaWidth}`, `give ${ipaWidth.min} to ${ipaWidth.max} bits: ${ipaWidth.reason}`);
  }
}

function invalid(message: string, remedy: string): PetriError {
  return new PetriError(`sim: ${message}`, { code: 'invalid-config', step: 'launch', remedy });
}
