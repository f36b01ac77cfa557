/**
 * RsiPlaneRun, the plane run page: 4096 bytes of realm memory, in the layout of RMM specification 1.1, which TF-RMM
 * `rmm-spec-v1.x-aligned` writes and OpenHCL reads. Revision 2.0 moves the fields of the exit.
 */

/** Offsets in the page of the fields that plane 0 writes. */
export const PlaneEnter = {
  flags: 0x000,
  pc: 0x008,
  pstate: 0x010,
  /** X0 to X30. */
  gprs: 0x100,
  gicv3Hcr: 0x200,
  gicv3Lrs: 0x208,
} as const;

/** Bits of `PlaneEnter.flags` (RsiPlaneEnterFlags). */
export const PlaneEnterFlag = {
  trapWfi: 1 << 0,
  trapWfe: 1 << 1,
  trapHc: 1 << 2,
  gicOwner: 1 << 3,
  trapSimd: 1 << 4,
} as const;

/** Offset of the half that the RMM writes when the plane exits. */
export const PLANE_EXIT_OFFSET = 0x800;

/** Offsets in the page of the fields that the RMM writes. */
export const PlaneExit = {
  reason: 0x800,
  /** ELR_EL2: PC of the plane. */
  pc: 0x900,
  esr: 0x908,
  far: 0x910,
  hpfar: 0x918,
  pstate: 0x920,
  /** X0 to X30. */
  gprs: 0xa00,
  gicv3Hcr: 0xb00,
  gicv3Lrs: 0xb08,
  gicv3Misr: 0xb88,
  gicv3Vmcr: 0xb90,
  cntpCtl: 0xc00,
  cntpCval: 0xc08,
  cntvCtl: 0xc10,
  cntvCval: 0xc18,
} as const;

/** Values of `PlaneExit.reason` (RsiPlaneExitReason). */
export const PlaneExitReason = { Sync: 0, Irq: 1, Host: 2 } as const;

/** General-purpose registers in the run page: X0 to X30. */
export const GPR_COUNT = 31;
export const GPR_BYTES = GPR_COUNT * 8;
