/** The Generic Timer (Arm ARM, D12): a counter of the machine, and timers of each context that compare with it. */

/** Counter frequency that CNTFRQ_EL0 gives, in Hz: that of FVP. */
export const COUNTER_FREQUENCY = 100_000_000n;
/** Guest time of a tick. An instruction takes a nanosecond, as many of them as Cortex-class hardware runs in a tick. */
const NANOSECONDS_PER_TICK = 10;

/** CNTx_CTL_EL0. */
const Ctl = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const;

/** CNTVCT_EL0 and CNTPCT_EL0, whose offset is zero. @param now guest time in nanoseconds */
export function counterAt(now: number): number {
  return Math.floor(now / NANOSECONDS_PER_TICK);
}

/** CNTx_CTL_EL0 as it reads at a time: with ISTATUS where the timer is enabled and its condition is met. */
export function timerControl(ctl: number, cval: bigint, now: number): number {
  const met = (ctl & Ctl.ENABLE) !== 0 && cval <= BigInt(counterAt(now));
  return (ctl & ~Ctl.ISTATUS) | (met ? Ctl.ISTATUS : 0);
}

/** Guest time at which a timer signals, in nanoseconds; Infinity where it never will. */
export function timerDeadline(ctl: number, cval: bigint): number {
  return (ctl & (Ctl.ENABLE | Ctl.IMASK)) === Ctl.ENABLE ? Number(cval) * NANOSECONDS_PER_TICK : Infinity;
}
