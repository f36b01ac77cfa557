import type { Clock, Vcpu } from '../cpu/index.ts';

/**
 * Ends the wait of the only running vCPU of a machine. No interrupt is delivered, so WFI completes, as the architecture
 * allows, after advancing the clock to the next timer or alarm, if there is one. An event may always have occurred, so
 * WFE completes at once.
 */
export function completeWait(clock: Clock, vcpu: Pick<Vcpu, 'waiting' | 'timerDeadline'>): void {
  if (vcpu.waiting === 'wfe') return;
  const until = Math.min(clock.next, vcpu.timerDeadline);
  if (Number.isFinite(until)) clock.jumpTo(until);
}
