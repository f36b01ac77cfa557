import type { ExceptionLevel } from '../exception-level.ts';
import type { TlbMaintenance } from '../mmu/tlb-invalidation.ts';
import { Access } from '../mmu/regime.ts';
import { operationsOfEl2 } from './el2/system-operations.ts';
import { encodeSysreg as e, type El0Control } from './registers/row.ts';
import type { SystemOperation } from './system-operation.ts';

/** Bits of SCTLR_EL1 that permit maintenance at EL0 (Arm ARM, D24.2.118). */
const Sctlr = { EnRCTX: 1 << 10, DZE: 1 << 14, UCI: 1 << 26 } as const;

/** Maintenance by virtual address: permitted at EL0 by SCTLR_EL1.UCI. */
const uci: El0Control = (sctlr) => (sctlr & Sctlr.UCI) !== 0;
/** CRm of DC CVAC, CVAU, CVAP, CVADP and CIVAC, with CRn = 7. */
const BY_ADDRESS_CRM = [10, 11, 12, 13, 14] as const;
/** CRm of DC ISW, CSW and CISW. */
const BY_SET_AND_WAY_CRM = [6, 10, 14] as const;
/** Op2 of CFP RCTX, DVP RCTX and CPP RCTX. */
const RESTRICTION_OP2 = [4, 5, 7] as const;
/** CRm of TLBI instructions by whether they reach other PEs: Outer Shareable, Inner Shareable and not shareable. */
const TLBI_CRM = [
  { crm: 1, range: 5, shareable: true },
  { crm: 3, range: 2, shareable: true },
  { crm: 7, range: 6, shareable: false },
] as const;
/** Op2 of TLBI VMALLE1, VAE1, ASIDE1, VAAE1, VALE1 and VAALE1. Those by address exist by range too (FEAT_TLBIRANGE). */
const TLBI_OP2: readonly (Omit<TlbMaintenance, 'shareable'> & { readonly op2: number })[] = [
  { op2: 0, kind: 'all', anyAsid: true, lastLevel: false },
  { op2: 1, kind: 'address', anyAsid: false, lastLevel: false },
  { op2: 2, kind: 'asid', anyAsid: false, lastLevel: false },
  { op2: 3, kind: 'address', anyAsid: true, lastLevel: false },
  { op2: 5, kind: 'address', anyAsid: false, lastLevel: true },
  { op2: 7, kind: 'address', anyAsid: true, lastLevel: true },
];

function question(encoding: number, el: ExceptionLevel, access: number, pan = false): SystemOperation {
  return { encoding, el: 1, asks: { el, access, pan } };
}

/** Caches are coherent, so their maintenance does nothing but fault. */
const operations: readonly SystemOperation[] = [
  { encoding: e(1, 0, 7, 1, 0), el: 1 }, // IC IALLUIS
  { encoding: e(1, 0, 7, 5, 0), el: 1 }, // IC IALLU
  { encoding: e(1, 3, 7, 5, 1), el: 0, el0: uci, maintains: 0 }, // IC IVAU
  { encoding: e(1, 3, 7, 4, 1), el: 0, el0: (sctlr) => (sctlr & Sctlr.DZE) !== 0, zeroes: true }, // DC ZVA
  // DC IVAC may lose data, so it needs permission to write.
  { encoding: e(1, 0, 7, 6, 1), el: 1, maintains: Access.Write },
  ...BY_ADDRESS_CRM.map((crm): SystemOperation => ({ encoding: e(1, 3, 7, crm, 1), el: 0, el0: uci, maintains: 0 })),
  ...BY_SET_AND_WAY_CRM.map((crm): SystemOperation => ({ encoding: e(1, 0, 7, crm, 2), el: 1 })),
  // Nothing is predicted, so there is nothing to restrict.
  ...RESTRICTION_OP2.map((op2): SystemOperation => ({
    encoding: e(1, 3, 7, 3, op2),
    el: 0,
    el0: (sctlr) => (sctlr & Sctlr.EnRCTX) !== 0,
  })),
  ...TLBI_CRM.flatMap(({ crm, range, shareable }) =>
    TLBI_OP2.flatMap(({ op2, ...what }): readonly SystemOperation[] => {
      const one = { encoding: e(1, 0, 8, crm, op2), el: 1, invalidates: { ...what, shareable } } as const;
      if (what.kind !== 'address') return [one];
      const many = { ...what, kind: 'range', shareable } as const;
      return [one, { encoding: e(1, 0, 8, range, op2), el: 1, invalidates: many }];
    }),
  ),
  question(e(1, 0, 7, 8, 0), 1, Access.Read), // AT S1E1R
  question(e(1, 0, 7, 8, 1), 1, Access.Write), // AT S1E1W
  question(e(1, 0, 7, 8, 2), 0, Access.Read), // AT S1E0R
  question(e(1, 0, 7, 8, 3), 0, Access.Write), // AT S1E0W
  question(e(1, 0, 7, 9, 0), 1, Access.Read, true), // AT S1E1RP
  question(e(1, 0, 7, 9, 1), 1, Access.Write, true), // AT S1E1WP
  ...operationsOfEl2,
];

const byEncoding = new Map(operations.map((operation) => [operation.encoding, operation]));

export function findSystemOperation(encoding: number): SystemOperation | undefined {
  return byEncoding.get(encoding);
}
