import type { ExceptionLevel } from '../exception-level.ts';
import { encodeSysreg as e, type El0Control } from './registers/row.ts';

/** A SYS instruction, by its alias. */
export interface SystemOperation {
  readonly encoding: number;
  /** Lowest Exception level that may execute it. */
  readonly el: ExceptionLevel;
  readonly el0?: El0Control;
  /** Whether it writes zeros to a block of memory, and so faults like a write. */
  readonly zeroes?: true;
}

/** Bits of SCTLR_EL1 that permit cache maintenance at EL0 (Arm ARM, D24.2.118). */
const Sctlr = { DZE: 1 << 14, UCI: 1 << 26 } as const;

/** Maintenance by virtual address: permitted at EL0 by SCTLR_EL1.UCI. */
const uci: El0Control = (sctlr) => (sctlr & Sctlr.UCI) !== 0;
/** CRm of DC I*, C*, CVAU, CVAP, CVADP, CI*, with CRn = 7. */
const DATA_CACHE_CRM = [6, 10, 11, 12, 13, 14] as const;
const OP2 = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const CRM = Array.from({ length: 16 }, (_, crm) => crm);

/** Caches are coherent and TLBs follow every change at once, so maintenance does nothing. */
const operations: readonly SystemOperation[] = [
  { encoding: e(1, 0, 7, 1, 0), el: 1 }, // IC IALLUIS
  { encoding: e(1, 0, 7, 5, 0), el: 1 }, // IC IALLU
  { encoding: e(1, 3, 7, 5, 1), el: 0, el0: uci }, // IC IVAU
  { encoding: e(1, 3, 7, 4, 1), el: 0, el0: (sctlr) => (sctlr & Sctlr.DZE) !== 0, zeroes: true }, // DC ZVA
  ...DATA_CACHE_CRM.flatMap((crm) =>
    OP2.flatMap((op2): readonly SystemOperation[] => [
      { encoding: e(1, 0, 7, crm, op2), el: 1 },
      { encoding: e(1, 3, 7, crm, op2), el: 0, el0: uci },
    ]),
  ),
  ...CRM.flatMap((crm) => OP2.map((op2): SystemOperation => ({ encoding: e(1, 0, 8, crm, op2), el: 1 }))), // TLBI of EL1
];

const byEncoding = new Map(operations.map((operation) => [operation.encoding, operation]));

export function findSystemOperation(encoding: number): SystemOperation | undefined {
  return byEncoding.get(encoding);
}
