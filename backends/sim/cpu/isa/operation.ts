/** What generated code leaves to the run loop with `Exit.System`: the operand `small` of the record that it left at. */
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
   * MRS to the slot `d`, MSR from the slot `n`; `low` is the register's encoding, `high` the number of the
   * general-purpose one.
   */
  ReadRegister: 8,
  WriteRegister: 9,
  /** MSR (immediate) and SYS; as above, with `low` their encoding. */
  WritePstate: 10,
  System: 11,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];
