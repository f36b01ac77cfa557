import type { TlbMaintenance } from '../../mmu/tlb-invalidation.ts';
import { Access } from '../../mmu/regime.ts';
import { encodeSysreg as e } from '../registers/row.ts';
import type { SystemOperation } from '../system-operation.ts';

/**
 * CRm of TLBI instructions of EL2, as those of EL1 have it; `ipa` is that of those by intermediate physical address.
 */
const DOMAINS = [
  { crm: 1, range: 5, ipa: 4, single: [0, 4], ranged: [3, 7], shareable: true },
  { crm: 3, range: 2, ipa: 0, single: [1, 5], ranged: [2, 6], shareable: true },
  { crm: 7, range: 6, ipa: 4, single: [1, 5], ranged: [2, 6], shareable: false },
] as const;

function tlbi(crm: number, op2: number, invalidates: TlbMaintenance): SystemOperation {
  return { encoding: e(1, 4, 8, crm, op2), el: 2, invalidates };
}

function at(op2: number, el: 0 | 1, access: number, of: 'el2' | 'both-stages'): SystemOperation {
  return { encoding: e(1, 4, 7, 8, op2), el: 2, asks: { el, access, pan: false, of } };
}

/** SYS instructions of EL2 (Arm ARM, C5.4 and C5.5). */
export const operationsOfEl2: readonly SystemOperation[] = [
  ...DOMAINS.flatMap(({ crm, range, ipa, single, ranged, shareable }) => {
    const all = { kind: 'all', anyAsid: true, lastLevel: false, shareable } as const;
    const va = { kind: 'address', anyAsid: false, lastLevel: false, shareable, regime: 'el2' } as const;
    const vas = { ...va, kind: 'range' } as const;
    // Entries are of both stages, so what is about a page of stage 2 is about the whole virtual machine.
    const stage2 = { ...all, bothStages: true } as const;
    return [
      tlbi(crm, 0, { ...all, regime: 'el2' }), // ALLE2
      tlbi(crm, 1, va), // VAE2
      tlbi(crm, 5, { ...va, lastLevel: true }), // VALE2
      tlbi(range, 1, vas), // RVAE2
      tlbi(range, 5, { ...vas, lastLevel: true }), // RVALE2
      tlbi(crm, 4, { ...stage2, anyVmid: true }), // ALLE1
      tlbi(crm, 6, stage2), // VMALLS12E1
      ...[...single, ...ranged].map((op2) => tlbi(ipa, op2, stage2)), // IPAS2E1, IPAS2LE1, RIPAS2E1, RIPAS2LE1
    ];
  }),
  at(0, 1, Access.Read, 'el2'), // AT S1E2R
  at(1, 1, Access.Write, 'el2'), // AT S1E2W
  at(4, 1, Access.Read, 'both-stages'), // AT S12E1R
  at(5, 1, Access.Write, 'both-stages'), // AT S12E1W
  at(6, 0, Access.Read, 'both-stages'), // AT S12E0R
  at(7, 0, Access.Write, 'both-stages'), // AT S12E0W
];
