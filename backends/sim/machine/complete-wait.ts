import type { Clock, Vcpu } from '../cpu/index.ts';

/**
 * Ends the wait of the only running vCPU of a machine. WFI completes at once if an interrupt is pending, whatever
 * PSTATE masks. Otherwise it completes, as the architecture allows, after advancing the clock to the next timer or
 * alarm, if there is one, or to when WFIT says. An event may always have occurred, so WFE completes at once.
 */
export function completeWait(
  clock: Clock,
  vcpu: Pick<Vcpu, 'waiting' | 'waitsUntil' | 'timerDeadline' | 'interruptPending'>,
): void {
  if (vcpu.waiting === 'wfe' || vcpu.interruptPending) return;
  const until = Math.min(clock.next, vcpu.timerDeadline, vcpu.waitsUntil);
  if (Number.isFinite(until)) clock.jumpTo(until);
}
