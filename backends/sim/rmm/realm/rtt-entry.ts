/**
 * One entry of a Realm Translation Table: 8 bytes of the RTT's granule. The format is up to the RMM. Zero means
 * UNASSIGNED with RIPAS EMPTY and overlay index 0, or UNASSIGNED_NS, so a new table is all zeros.
 */

/** Kind of an entry, bits 1:0 of its first word (RMM specification, A5.5). */
export const EntryState = { Unassigned: 0, Assigned: 1, Table: 2, AssignedNs: 3 } as const;
export type EntryState = (typeof EntryState)[keyof typeof EntryState];

export const ENTRY_BYTES = 8;
export const ENTRIES = 512;

/**
 * The first word: state in 1:0, RIPAS in 3:2, overlay index in 7:4; for ASSIGNED_NS the host's attributes in 15:8, at
 * their position in a descriptor plus 6. Address bits 47:44 are in 31:28, and 43:12 in the second word.
 */
const RIPAS_SHIFT = 2;
const RIPAS_MASK = 0xc;
const OVERLAY_SHIFT = 4;
const OVERLAY_MASK = 0xf0;
const ATTRIBUTES_SHIFT = 6;

export function entryState(word: number): EntryState {
  return (word & 3) as EntryState;
}

export function entryRipas(word: number): number {
  return (word & RIPAS_MASK) >>> RIPAS_SHIFT;
}

export function entryOverlay(word: number): number {
  return (word & OVERLAY_MASK) >>> OVERLAY_SHIFT;
}

export function withRipas(word: number, ripas: number): number {
  return (word & ~RIPAS_MASK) | (ripas << RIPAS_SHIFT);
}

export function withOverlay(word: number, overlay: number): number {
  return (word & ~OVERLAY_MASK) | (overlay << OVERLAY_SHIFT);
}

export function withState(word: number, state: EntryState): number {
  return (word & ~3) | state;
}

/** The parts of an entry other than its address: state, RIPAS, overlay index, attributes. */
export function entryKind(word: number): number {
  return word & 0xffff;
}

export function unassigned(ripas: number, overlay: number): number {
  return (ripas << RIPAS_SHIFT) | (overlay << OVERLAY_SHIFT);
}

/** @param descriptor from the host: MemAttr[2:0] in bits 4:2 and S2AP in bits 7:6 */
export function assignedNs(descriptor: number): number {
  return EntryState.AssignedNs | ((descriptor & NS_ATTRIBUTES) << ATTRIBUTES_SHIFT);
}

/** Attribute bits of a host's descriptor. */
export const NS_ATTRIBUTES = 0xdc;

export function nsAttributes(word: number): number {
  return (word >>> ATTRIBUTES_SHIFT) & NS_ATTRIBUTES;
}

/** Stage 2 access permissions of an unprotected mapping: bit 0 read, bit 1 write (S2AP of the descriptor). */
export function nsAccess(word: number): number {
  return nsAttributes(word) >>> 6;
}

export function firstWord(kind: number, pa: number): number {
  return (entryKind(kind) | (Math.floor(pa / 0x1000_0000_0000) << 28)) >>> 0;
}

export function secondWord(pa: number): number {
  return Math.floor(pa / 0x1000) >>> 0;
}

export function entryAddress(first: number, second: number): number {
  return (first >>> 28) * 0x1000_0000_0000 + second * 0x1000;
}
