/** Offsets of RmiRecParams, 4096 bytes that the host writes (RMM specification 1.1, B4.4). */
export const RecParams = {
  flags: 0x000,
  mpidr: 0x100,
  pc: 0x200,
  /** X0 to X7. */
  gprs: 0x300,
  numAux: 0x800,
  /** 16 physical addresses. */
  aux: 0x808,
} as const;

export const REC_PARAMS_GPRS = 8;

/** Bit of `RecParams.flags`. */
export const REC_RUNNABLE = 1;
