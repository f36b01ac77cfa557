export const MIB = 1024 * 1024;

/**
 * RAM of a realm begins at 2 GiB and must end below the addresses from 0xff000000 on, where a TMK expects its command
 * page and its interrupt controller.
 */
export const MAX_MEMORY = 2032 * MIB;

/** TMKs use one vCPU, and several are not scheduled yet. */
export const MAX_VCPUS = 1;
