import { encodeSysreg as e, type RegisterAccess } from '../pe/registers/row.ts';
import { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from './interrupt-routing.ts';
import { IDLE_PRIORITY, lowestBit, PRIORITY_SHIFT } from './priorities.ts';
import { VirtualInterface } from './virtual-interface.ts';

/** Registers of the CPU interface; those of the two groups by group. */
export const Icc = {
  PMR: e(3, 0, 4, 6, 0),
  CTLR: e(3, 0, 12, 12, 4),
  BPR: [e(3, 0, 12, 8, 3), e(3, 0, 12, 12, 3)],
  APR: [e(3, 0, 12, 8, 4), e(3, 0, 12, 9, 0)],
  IGRPEN: [e(3, 0, 12, 12, 6), e(3, 0, 12, 12, 7)],
} as const;

/** ICC_CTLR_EL1: CBPR, a common binary point; EOImode, priority drop apart from deactivation. */
const Ctlr = { CBPR: 1, EOImode: 2 } as const;
const SPECIAL_INTID = 1020;
const INTID_MASK = 0xff_ffff;
/** Fields of ICC_SGIxR_EL1. */
const SGI_INTID_SHIFT = 24n;
const SGI_IRM = 1n << 40n;
const SGI_RS_SHIFT = 44n;
const SGI_LIST_BITS = 16;

/**
 * What the CPU interface of a PE signals to it, and what its registers do to interrupts (IHI0069, 4.8). Their stored
 * values are in the context.
 */
export class InterruptSignals {
  /** Whether an IRQ and an FIQ is signalled, whatever PSTATE masks. */
  irq = false;
  fiq = false;
  readonly virtual: VirtualInterface;
  readonly #context: () => RegisterAccess | undefined;
  readonly #routing: InterruptRouting;

  /** @param context the active one, if there is one */
  constructor(context: () => RegisterAccess | undefined, routing: InterruptRouting) {
    this.#context = context;
    this.#routing = routing;
    this.virtual = new VirtualInterface(() => this.#context()?.el2, routing);
    routing.onChange = () => {
      this.update();
    };
  }

  /** To be called after each change of a register above. */
  update(): void {
    this.#routing.enableGroups(this.#enabledGroups);
    const intid = this.#signalled();
    this.irq = intid !== NO_INTERRUPT && this.#routing.group(intid) === 1;
    this.fiq = intid !== NO_INTERRUPT && this.#routing.group(intid) === 0;
    this.virtual.update();
  }

  /** ICC_HPPIRn_EL1. */
  highestPending(group: InterruptGroup): bigint {
    const intid = this.#routing.highest(this.#enabledGroups);
    return BigInt(intid !== NO_INTERRUPT && this.#routing.group(intid) === group ? intid : NO_INTERRUPT);
  }

  /** A read of ICC_IARn_EL1. */
  acknowledge(group: InterruptGroup): bigint {
    const intid = this.#signalled();
    if (intid === NO_INTERRUPT || this.#routing.group(intid) !== group) return BigInt(NO_INTERRUPT);
    const level = this.#groupPriority(intid) >> PRIORITY_SHIFT;
    this.#set(Icc.APR[group], (this.#active(group) | (1 << level)) >>> 0);
    this.#routing.acknowledge(intid);
    return BigInt(intid);
  }

  /** A write of ICC_EOIRn_EL1. It is ignored where the priority to drop is not of the group. */
  end(group: InterruptGroup, value: bigint): void {
    const intid = Number(value) & INTID_MASK;
    if (intid >= SPECIAL_INTID && intid <= NO_INTERRUPT) return;
    const own = this.#active(group);
    const highest = lowestBit(own);
    if (own !== 0 && highest < lowestBit(this.#active(group === 1 ? 0 : 1))) {
      this.#set(Icc.APR[group], (own & ~(1 << highest)) >>> 0);
    }
    if ((this.#get(Icc.CTLR) & Ctlr.EOImode) === 0) this.#routing.deactivate(intid);
    this.update();
  }

  /** A write of ICC_DIR_EL1. */
  deactivate(value: bigint): void {
    if ((this.#get(Icc.CTLR) & Ctlr.EOImode) !== 0) this.#routing.deactivate(Number(value) & INTID_MASK);
  }

  /** A write of ICC_SGInR_EL1: an SGI to a list of PEs with the same Aff3 to Aff1, or to all others. */
  generate(group: InterruptGroup, value: bigint): void {
    const intid = Number((value >> SGI_INTID_SHIFT) & 15n);
    if ((value & SGI_IRM) !== 0n) {
      this.#routing.generate(intid, group, 'others');
      return;
    }
    const field = (shift: bigint): number => Number((value >> shift) & 0xffn);
    const cluster = field(48n) * 2 ** 32 + field(32n) * 2 ** 16 + field(16n) * 2 ** 8;
    const first = Number((value >> SGI_RS_SHIFT) & 0xfn) * SGI_LIST_BITS;
    for (let n = 0; n < SGI_LIST_BITS; n += 1) {
      if (((Number(value & 0xffffn) >>> n) & 1) !== 0) this.#routing.generate(intid, group, cluster + first + n);
    }
  }

  /** ICC_RPR_EL1. */
  get runningPriority(): number {
    const active = this.#active(0) | this.#active(1);
    return active === 0 ? IDLE_PRIORITY : lowestBit(active) << PRIORITY_SHIFT;
  }

  /** ICC_BPRn_EL1 as read. */
  binaryPoint(group: InterruptGroup): number {
    const common = group === 1 && (this.#get(Icc.CTLR) & Ctlr.CBPR) !== 0;
    return common ? Math.min(this.#get(Icc.BPR[0]) + 1, 7) : this.#get(Icc.BPR[group]);
  }

  /** The interrupt that has sufficient priority to be signalled. */
  #signalled(): number {
    const intid = this.#routing.highest(this.#enabledGroups);
    if (intid === NO_INTERRUPT) return intid;
    const masked = this.#routing.priority(intid) >= this.#get(Icc.PMR);
    return masked || this.#groupPriority(intid) >= this.runningPriority ? NO_INTERRUPT : intid;
  }

  #groupPriority(intid: number): number {
    const group = this.#routing.group(intid);
    // The binary point of group 1 counts from bit 0, that of group 0 from bit 1 (IHI0069, 4.8.2).
    const subpriorityBits = this.binaryPoint(group) + (group === 0 ? 1 : 0);
    return this.#routing.priority(intid) & (0xff << subpriorityBits);
  }

  get #enabledGroups(): number {
    return (this.#get(Icc.IGRPEN[0]) & 1) | ((this.#get(Icc.IGRPEN[1]) & 1) << 1);
  }

  #active(group: InterruptGroup): number {
    return this.#get(Icc.APR[group]);
  }

  #get(register: number): number {
    return Number(this.#context()?.sysreg(register) ?? 0n);
  }
  #set(register: number, value: number): void {
    this.#context()?.setSysreg(register, BigInt(value));
  }
}
