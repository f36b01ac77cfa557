export const MIB = 1024 * 1024;

/**
 * RAM of a realm starts at 2 GiB and must end below 0xff000000: above that a TMK expects its command page and its
 * interrupt controller.
 */
export const MAX_MEMORY = 2032 * MIB;

/** TMKs use one vCPU, and scheduling of several is not implemented yet. */
export const MAX_VCPUS = 1;
