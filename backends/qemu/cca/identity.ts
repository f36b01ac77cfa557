import { machineSlots, realmLimits } from '../../../petri/kit/cca/index.ts';

const MIB = 2 ** 20;

/** Name of the backend, and of its machines with realms. */
export const identity = { name: 'qemu', noun: 'machine' } as const;

/** MiB of RAM of the host: its own share, and the largest realm. */
export const HOST_MEMORY = 3072;

/** Bounds on the configuration of a realm. */
export const realmBounds = realmLimits(2048 * MIB);

/** Peak memory of a machine in bytes: its RAM, and QEMU's translated code. */
const MACHINE_MEMORY = (HOST_MEMORY + 768) * MIB;

/** For the guest's single CPU, and our tests. */
const MACHINE_CORES = 2;

/**
 * How many machines with realms may run here at once: limited by memory and cores, or set by
 * `$PETRI_QEMU_CCA_MACHINES`.
 *
 * @throws PetriError `invalid-option`
 */
export function realmMachines(env?: Readonly<Record<string, string | undefined>>): number {
  const variable = 'PETRI_QEMU_CCA_MACHINES';
  return machineSlots({ variable, noun: 'machines', memory: MACHINE_MEMORY, cores: MACHINE_CORES }, env);
}
