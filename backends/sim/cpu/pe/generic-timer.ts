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

/** The timers of a PE: CNTV, CNTP, CNTHP and CNTHV. */
export const timerKinds = ['virtual', 'physical', 'hypervisor-physical', 'hypervisor-virtual'] as const;
export type TimerKind = (typeof timerKinds)[number];

/** The virtual counter. @param offset CNTVOFF_EL2 */
export function virtualCounterAt(now: number, offset: bigint): bigint {
  return BigInt.asUintN(64, BigInt(counterAt(now)) - offset);
}

/** CNTx_CTL_EL0 as read with its counter: with ISTATUS if the timer is enabled and its condition is met. */
export function timerControl(ctl: number, cval: bigint, counter: bigint): number {
  const met = (ctl & Ctl.ENABLE) !== 0 && cval <= counter;
  return (ctl & ~Ctl.ISTATUS) | (met ? Ctl.ISTATUS : 0);
}

/** Guest time in nanoseconds at which a timer signals; Infinity if it never does. @param offset of its counter */
export function timerDeadline(ctl: number, cval: bigint, offset = 0n): number {
  if ((ctl & (Ctl.ENABLE | Ctl.IMASK)) !== Ctl.ENABLE) return Infinity;
  if (offset === 0n) return Number(cval) * NANOSECONDS_PER_TICK;
  return Number(deadlineCount(cval, offset)) * NANOSECONDS_PER_TICK;
}

/**
 * The physical count at which a counter that is `offset` behind reaches a value. An offset that is about to make the
 * counter wrap counts as negative: it is ahead.
 */
function deadlineCount(cval: bigint, offset: bigint): bigint {
  return cval + BigInt.asIntN(64, offset);
}
