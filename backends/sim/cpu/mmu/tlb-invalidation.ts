/** What a TLBI instruction of EL1 drops; at least that much may go. */
export type TlbInvalidation = Scope & {
  /** Entries of the last level of a walk only, not those of the tables above. */
  readonly lastLevel: boolean;
  /** Of a PE with EL2: whose regime it is. Default: EL1&0. */
  readonly regime?: 'el2';
  /** Of the EL1&0 regime of a PE with EL2: the virtual machine; default all. */
  readonly vmid?: number;
  /** Whether everything of the virtual machine goes, of both stages. */
  readonly bothStages?: boolean;
};

type Scope =
  | { readonly kind: 'all' }
  | { readonly kind: 'asid'; readonly asid: number }
  /** A range of virtual addresses, of one ASID and global, or of all. */
  | { readonly kind: 'range'; readonly start: number; readonly bytes: number; readonly asid: number | undefined };

/** Which TLBI instruction it is (Arm ARM, C5.5). */
export interface TlbMaintenance {
  readonly kind: 'all' | 'asid' | 'address' | 'range';
  /** Whether entries of all ASIDs go. */
  readonly anyAsid: boolean;
  readonly lastLevel: boolean;
  /** Of EL2: see `TlbInvalidation`, and whether it is about all virtual machines, not the current one. */
  readonly regime?: 'el2';
  readonly bothStages?: boolean;
  readonly anyVmid?: boolean;
  /** Whether it reaches other PEs. */
  readonly shareable: boolean;
}

const PAGE = 4096;
/** Number of bits of the address field of a TLBI by address: VA[55:12]. */
const VA_BITS = 44;
/** The same of a TLBI by range: its BaseADDR, in granules. */
const BASE_BITS = 37;
/** log2 of the granule by TG of a TLBI by range; 0 is reserved and drops nothing by the architecture, here 4 KiB. */
const GRANULE_BITS = [12, 12, 14, 16] as const;

/** @param low @param high halves of the operand in Xt */
export function invalidationOf(
  { kind, anyAsid, lastLevel }: TlbMaintenance,
  low: number,
  high: number,
): TlbInvalidation {
  if (kind === 'all') return { kind, lastLevel };
  const asid = anyAsid ? undefined : high >>> 16;
  if (kind === 'asid') return { kind, asid: high >>> 16, lastLevel };
  if (kind === 'address') {
    const start = signed((high & 0xfff) * 2 ** 32 + (low >>> 0), VA_BITS) * PAGE;
    return { kind: 'range', start, bytes: PAGE, asid, lastLevel };
  }
  const granule = 2 ** (GRANULE_BITS[(high >>> 14) & 3] ?? 12);
  const scale = (high >>> 12) & 3;
  const count = (high >>> 7) & 31;
  const start = signed((high & 31) * 2 ** 32 + (low >>> 0), BASE_BITS) * granule;
  return { kind: 'range', start, bytes: (count + 1) * 2 ** (5 * scale + 1) * granule, asid, lastLevel };
}

function signed(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}
