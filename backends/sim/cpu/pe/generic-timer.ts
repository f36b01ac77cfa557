/** The Generic Timer (Arm ARM, D12): one counter for the machine, and the timers of each context. */

/** Counter frequency in CNTFRQ_EL0, in Hz: that of FVP. */
export const COUNTER_FREQUENCY = 100_000_000n;
/** Guest time of one tick. An instruction takes a nanosecond: Cortex-class hardware runs about as many in a tick. */
const NANOSECONDS_PER_TICK = 10;

/** CNTx_CTL_EL0. */
const Ctl = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const;

/** CNTVCT_EL0 and CNTPCT_EL0, whose offset is zero. @param now guest time in nanoseconds */
export function counterAt(now: number): number {
  return Math.floor(now / NANOSECONDS_PER_TICK);
}

/** Guest time in nanoseconds at which the counter reaches a value. */
export function timeOf(counter: number): number {
  return counter * NANOSECONDS_PER_TICK;
}

/** CNTx_CTL_EL0 as read at a time: with ISTATUS if the timer is enabled and its condition is met. */
export function timerControl(ctl: number, cval: bigint, now: number): number {
  const met = (ctl & Ctl.ENABLE) !== 0 && cval <= BigInt(counterAt(now));
  return (ctl & ~Ctl.ISTATUS) | (met ? Ctl.ISTATUS : 0);
}

/** Guest time in nanoseconds at which a timer signals; Infinity if it never does. */
export function timerDeadline(ctl: number, cval: bigint): number {
  return (ctl & (Ctl.ENABLE | Ctl.IMASK)) === Ctl.ENABLE ? Number(cval) * NANOSECONDS_PER_TICK : Infinity;
}
