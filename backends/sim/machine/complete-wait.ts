import type { Clock, Vcpu } from '../cpu/index.ts';

/**
 * Ends the wait of a vCPU that is the only one of its machine to run. No interrupt is delivered, so WFI completes, as
 * the architecture allows, and where a timer or an alarm will come, time goes on to it; an event may always have come,
 * so WFE completes at once.
 */
export function completeWait(clock: Clock, vcpu: Pick<Vcpu, 'waiting' | 'timerDeadline'>): void {
  if (vcpu.waiting === 'wfe') return;
  const until = Math.min(clock.next, vcpu.timerDeadline);
  if (Number.isFinite(until)) clock.jumpTo(until);
}
