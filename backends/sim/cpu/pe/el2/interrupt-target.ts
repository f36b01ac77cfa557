import type { ExceptionLevel } from '../../exception-level.ts';
import { Pstate } from '../pstate.ts';
import { type El2State, Hcr } from './el2-state.ts';

/** Kinds of asynchronous exceptions, by what PSTATE masks. */
export type InterruptKind = 'irq' | 'fiq' | 'serror';

/** An interrupt that can be taken. */
export interface PendingInterrupt {
  readonly kind: InterruptKind;
  /** The Exception level that takes it. */
  readonly target: 1 | 2;
  /** Whether EL2 has injected it. */
  readonly virtual: boolean;
}

/** Offsets of their vectors from that of a synchronous exception. */
export const INTERRUPT_VECTORS: Readonly<Record<InterruptKind, bigint>> = { irq: 0x80n, fiq: 0x100n, serror: 0x180n };

const VIRTUAL = ['serror', 'irq', 'fiq'] as const;
const MASK: Readonly<Record<InterruptKind, number>> = { irq: Pstate.I, fiq: Pstate.F, serror: Pstate.A };

function to(kind: InterruptKind, target: 1 | 2): PendingInterrupt {
  return { kind, target, virtual: false };
}
/** Physical interrupts by target. */
export const TAKEN: Readonly<Record<'irq' | 'fiq', Readonly<Record<1 | 2, PendingInterrupt>>>> = {
  irq: { 1: to('irq', 1), 2: to('irq', 2) },
  fiq: { 1: to('fiq', 1), 2: to('fiq', 2) },
};

/** Whether EL2 or a list register asks for a virtual interrupt. */
function asks(el2: El2State, kind: InterruptKind, listed: { readonly irq: boolean; readonly fiq: boolean }): boolean {
  if (kind === 'serror') return el2.hcr(Hcr.VSE);
  return kind === 'irq' ? listed.irq || el2.hcr(Hcr.VI) : listed.fiq || el2.hcr(Hcr.VF);
}

/** Whether a virtual interrupt is pending, whatever PSTATE masks. */
export function virtualInterruptPending(
  el2: El2State,
  listed: { readonly irq: boolean; readonly fiq: boolean },
): boolean {
  return VIRTUAL.some((kind) => el2.virtualizes(kind) && asks(el2, kind, listed));
}

/**
 * The interrupt that a PE with EL2 takes (Arm ARM, D1.3.6): a physical one, to EL2 if HCR_EL2 routes it there, whatever
 * PSTATE masks at a lower level; or a virtual one, to EL1.
 *
 * @param irq whether a physical IRQ is signalled @param fiq the same for FIQ
 * @param listed virtual interrupts of list registers
 */
export function pendingAtEl2(
  el2: El2State,
  el: ExceptionLevel,
  pstate: number,
  irq: boolean,
  fiq: boolean,
  listed: { readonly irq: boolean; readonly fiq: boolean },
): PendingInterrupt | undefined {
  for (const kind of ['irq', 'fiq'] as const) {
    if (!(kind === 'irq' ? irq : fiq)) continue;
    const target = el2.routes(kind) ? 2 : 1;
    // Interrupts of a lower level wait until the PE is there.
    if (target < el) continue;
    if (target > el && target === 2) return TAKEN[kind][2];
    if ((pstate & MASK[kind]) === 0) return TAKEN[kind][target];
  }
  if (el === 2) return undefined;
  for (const kind of VIRTUAL) {
    if (el2.virtualizes(kind) && asks(el2, kind, listed) && (pstate & MASK[kind]) === 0) {
      return { kind, target: 1, virtual: true };
    }
  }
  return undefined;
}
