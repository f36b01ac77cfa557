import { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from '../gic/interrupt-routing.ts';

/** An interrupt controller that forwards one interrupt, of one group, while a test or an input says so. */
export class OneInterrupt implements InterruptRouting {
  onChange: (() => void) | undefined;
  readonly levels = new Map<number, boolean>();
  pending = NO_INTERRUPT;
  irqGroup: InterruptGroup = 1;

  enableGroups(): void {
    // One PE takes all.
  }
  raise(intid: number): void {
    this.pending = intid;
    this.onChange?.();
  }
  highest(groups: number): number {
    return (groups & (1 << this.irqGroup)) === 0 ? NO_INTERRUPT : this.pending;
  }
  priority(): number {
    return 0x80;
  }
  group(): InterruptGroup {
    return this.irqGroup;
  }
  acknowledge(): void {
    this.raise(NO_INTERRUPT);
  }
  /** The last interrupt that was deactivated. */
  deactivated = NO_INTERRUPT;
  deactivate(intid: number): void {
    this.deactivated = intid;
  }
  generate(intid: number): void {
    this.raise(intid);
  }
  setLevel(intid: number, level: boolean): void {
    this.levels.set(intid, level);
    if (level) this.raise(intid);
    else if (this.pending === intid) this.raise(NO_INTERRUPT);
  }
}
