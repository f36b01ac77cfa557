/** What the run loop is to execute after `Exit.System`: the operand `small` of the exit record. */
export const Operation = {
  Svc: 0,
  Hvc: 1,
  Smc: 2,
  Brk: 3,
  Hlt: 4,
  Eret: 5,
  Wfe: 6,
  Wfi: 7,
  /**
   * MRS to the slot `d`, MSR from the slot `n`; `low` is the encoding of the system register, `high` the number of the
   * general-purpose register.
   */
  ReadRegister: 8,
  WriteRegister: 9,
  /** MSR (immediate) and SYS; operands as above, with `low` their own encoding. */
  WritePstate: 10,
  System: 11,
  /** ERETAA, ERETAB: the authenticated address, and whether it failed, are in the state; `low` is the key. */
  EretAuthenticated: 12,
  /** A pointer failed to authenticate with instruction key A; the other three keys, IB, DA and DB, follow. */
  PacFail: 13,
  Sev: 17,
  Sevl: 18,
  /** WFET, WFIT: the time is in the slot `n`; `low` is the number of the register. */
  Wfet: 19,
  Wfit: 20,
  /** A main or epilogue instruction of FEAT_MOPS found registers of the other option; `high` is the ISS. */
  MemoryOption: 21,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];
