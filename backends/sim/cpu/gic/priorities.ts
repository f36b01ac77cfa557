/** Priorities are multiples of 8: 5 bits of preemption, so that one register has all active priorities. */
export const PRIORITY_SHIFT = 3;
/** Binary points of groups 0 and 1 at which all 5 bits are group priority. */
export const MIN_BPR = [2, 3] as const;
export const IDLE_PRIORITY = 0xff;

/** Number of the lowest bit that is set; 32 if none is. */
export function lowestBit(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}
