import type { BackendLimits } from '../../../petri/backend.ts';
import { PetriError } from '../../../petri/errors.ts';
import type { IsolationType } from '../../../petri/vm/isolation.ts';
import type { VmConfig } from '../../../petri/vm/spec.ts';

const MIB = 1024 * 1024;

/**
 * One vCPU only: TMKs use one, and several are not scheduled yet. RAM of a realm begins at 2 GiB and must end below the addresses
 * from 0xff000000 on, where a TMK expects its command page and its interrupt controller.
 */
export const limits: BackendLimits = { maxMemory: 2032 * MIB, maxVcpus: 1, maxPlanes: 3 };

/** A realm has room for plane 0 beside the 4 MiB of its payload. */
const minMemory = { cca: 8 * MIB, none: 4 * MIB } as const;

/** @throws PetriError `invalid-config` */
export function checkConfig(isolation: IsolationType, config: VmConfig): void {
  if (config.vcpus < 1 || config.vcpus > limits.maxVcpus) {
    throw invalid(`vcpus is ${config.vcpus}`, `the simulated machine has ${limits.maxVcpus} vCPU`);
  }
  const least = minMemory[isolation === 'cca' ? 'cca' : 'none'];
  if (config.memory % (2 * MIB) !== 0 || config.memory < least || config.memory > limits.maxMemory) {
    throw invalid(
      `memory is ${config.memory} bytes`,
      `give a multiple of 2 MiB from ${least / MIB} MiB to ${limits.maxMemory / MIB} MiB`,
    );
  }
  if (!(config.maxInstructions > 0)) {
    throw invalid(`maxInstructions is ${config.maxInstructions}`, 'give a positive number');
  }
  if (isolation !== 'cca') return;
  if (config.planes < 1 || config.planes > limits.maxPlanes) {
    throw invalid(`planes is ${config.planes}`, `give 1 to ${limits.maxPlanes} auxiliary planes`);
  }
  if (config.ipaWidth < 33 || config.ipaWidth > 48) {
    throw invalid(
      `ipaWidth is ${config.ipaWidth}`,
      'give 33 to 48 bits: a TMK needs its command page at 0xffff0000 in the protected half of the IPA space',
    );
  }
}

function invalid(message: string, remedy: string): PetriError {
  return new PetriError(`sim: ${message}`, { code: 'invalid-config', step: 'launch', remedy });
}
