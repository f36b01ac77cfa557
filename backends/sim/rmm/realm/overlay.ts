import { Permission } from '../../cpu/index.ts';

/** Overlay indices that a realm may use: 0 to 14 (RMM specification 1.1, A5.6.11). */
export const OVERLAY_INDICES = 15;

/** Overlay values (S2POR_EL2 of FEAT_S2POE), as RSI_MEM_SET_PERM_VALUE takes them. */
const Overlay = {
  NoAccess: 0,
  WriteOnly: 4,
  ReadOnly: 8,
  /** Reading, writing and execution at EL0 and EL1. */
  ReadWriteExecute: 15,
} as const;

/**
 * Whether a value is implemented: reserved ones are not, nor "mostly read-only", which RSI_FEATURES does not report.
 */
function isImplemented(value: number): boolean {
  return value === Overlay.NoAccess || value === Overlay.WriteOnly || (value >= 8 && value <= 15);
}

/** CPU permissions of an overlay value: in values from 8 on, bit 2 is W, bit 0 XEl0, bit 1 XEl1. */
export function overlayPermissions(value: number): number {
  if (value < 8) return value === Overlay.WriteOnly ? Permission.W : 0;
  return (
    Permission.R |
    (value & 4 ? Permission.W : 0) |
    (value & 1 ? Permission.XEl0 : 0) |
    (value & 2 ? Permission.XEl1 : 0)
  );
}

/**
 * Permissions of each plane of a realm for the pages of each overlay index. Plane 0 always has all permissions. Index
 * 0, which all pages have initially, gives auxiliary planes none.
 */
export class OverlayPermissions {
  /** Indices whose values can no longer change; bit n for index n. Index 0 is locked from the start. */
  #locked = 1;
  readonly #values: Uint8Array;

  constructor(planes: number) {
    this.#values = new Uint8Array(planes * OVERLAY_INDICES);
    this.#values.fill(Overlay.ReadWriteExecute, 0, OVERLAY_INDICES);
  }

  value(plane: number, index: number): number {
    return this.#values[plane * OVERLAY_INDICES + index] ?? Overlay.NoAccess;
  }

  isLocked(index: number): boolean {
    return (this.#locked & (1 << index)) !== 0;
  }

  lock(index: number): void {
    this.#locked |= 1 << index;
  }

  /** @returns false if the index is locked or the value is not implemented */
  setValue(plane: number, index: number, value: number): boolean {
    if (this.isLocked(index) || !isImplemented(value)) return false;
    this.#values[plane * OVERLAY_INDICES + index] = value;
    return true;
  }
}
