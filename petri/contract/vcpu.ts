import { PetriError } from '../errors.ts';

/**
 * Checks the number of a vCPU, from 0, that a test wants to look at.
 *
 * @param count vCPUs that the VM has
 * @throws PetriError `invalid-option` where it has no such vCPU
 */
export function checkVcpu(vcpu: number, count: number): void {
  if (Number.isInteger(vcpu) && vcpu >= 0 && vcpu < count) return;
  throw new PetriError(`the VM has no vCPU ${vcpu}`, {
    code: 'invalid-option',
    step: 'run',
    remedy: count === 1 ? 'it has one: leave the number out' : `choose one of 0 to ${count - 1}`,
  });
}
