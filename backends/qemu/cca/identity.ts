import { machineSlots, realmLimits } from '../../../petri/kit/cca/index.ts';

const MIB = 2 ** 20;

/** What the machines with realms of this backend are known as. */
export const identity = { name: 'qemu', noun: 'machine' } as const;

/** MiB of RAM of the host: its own share, and the largest realm. */
export const HOST_MEMORY = 3072;

/** Bounds on the configuration of a realm. */
export const realmBounds = realmLimits(2048 * MIB);

/** Bytes that a machine has in use at its highest: its RAM, and what QEMU makes of the guest's code. */
const MACHINE_MEMORY = (HOST_MEMORY + 768) * MIB;

/** The guest's one CPU, and our tests. */
const MACHINE_CORES = 2;

/**
 * How many machines with realms may run here at once: by memory and cores, or `$PETRI_QEMU_CCA_MACHINES`.
 *
 * @throws PetriError `invalid-option`
 */
export function realmMachines(env?: Readonly<Record<string, string | undefined>>): number {
  const variable = 'PETRI_QEMU_CCA_MACHINES';
  return machineSlots({ variable, noun: 'machines', memory: MACHINE_MEMORY, cores: MACHINE_CORES }, env);
}
