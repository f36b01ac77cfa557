import type { ExceptionLevel } from '../exception-level.ts';
import type { TlbMaintenance } from '../mmu/tlb-invalidation.ts';
import type { El0Control } from './registers/row.ts';

/** What an address translation instruction asks: whether EL0 or EL1 may read or write, with or without PSTATE.PAN. */
export interface TranslationQuestion {
  readonly el: ExceptionLevel;
  /** Bits of `Access`. */
  readonly access: number;
  readonly pan: boolean;
  /** Whose regime it asks, of EL2 only; EL1&0 with stage 2 as well. Default: stage 1 of EL1&0. */
  readonly of?: 'el2' | 'both-stages';
}

/** A SYS instruction, by its alias. It does nothing that its row does not say. */
export interface SystemOperation {
  readonly encoding: number;
  /** Lowest Exception level that may execute it. */
  readonly el: ExceptionLevel;
  readonly el0?: El0Control;
  /** Whether it is DC ZVA. */
  readonly zeroes?: true;
  /** For maintenance by virtual address: the access that EL1 must be permitted, as bits of `Access`; EL0 must read. */
  readonly maintains?: number;
  /** What it drops from TLBs. */
  readonly invalidates?: TlbMaintenance;
  /** For address translation, into PAR_EL1. */
  readonly asks?: TranslationQuestion;
}
