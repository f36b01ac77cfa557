/** Interrupt group, which is also that of a CPU interface register: 0 signals FIQ, 1 signals IRQ. */
export type InterruptGroup = 0 | 1;

/** The special INTID for "no pending interrupt" (IHI0069, 2.2.1). */
export const NO_INTERRUPT = 1023;
/** INTIDs of the timers' PPIs (BSA, PPI assignment). */
export const TimerInterrupt = { HypervisorPhysical: 26, Virtual: 27, HypervisorVirtual: 28, Physical: 30 } as const;
/** INTID of the virtual CPU interface's maintenance interrupt (BSA, PPI assignment). */
export const MAINTENANCE_INTERRUPT = 25;
/** INTID of the performance monitors' PPI (BSA, PPI assignment). */
export const PMU_INTERRUPT = 23;

/** Distributor and redistributor, as the CPU interface of one PE sees them (IHI0069, chapter 4). */
export interface InterruptRouting {
  /** Called after each change of what may be signalled. */
  onChange: (() => void) | undefined;
  /**
   * Groups that the CPU interface has enabled (bit n for group n). An SPI that any PE may take goes to one that has its
   * group enabled.
   */
  enableGroups(groups: number): void;
  /**
   * The INTID that is pending, enabled, not active, of a group that the distributor forwards and that is among `groups`
   * (bit n for group n), and has the highest priority; `NO_INTERRUPT` if there is none.
   */
  highest(groups: number): number;
  /** Priority of an INTID: 0 is the highest. */
  priority(intid: number): number;
  group(intid: number): InterruptGroup;
  /** From pending to active. */
  acknowledge(intid: number): void;
  deactivate(intid: number): void;
  /**
   * An SGI; a PE where it is configured for another group ignores it.
   *
   * @param target affinity of a PE, as in MPIDR_EL1, or all PEs but this one
   */
  generate(intid: number, group: InterruptGroup, target: number | 'others'): void;
  /** The level of an input of this PE. */
  setLevel(intid: number, level: boolean): void;
}
