/** RmiRecRun: 4096 bytes of Normal world memory that the host and the RMM exchange (RMM specification 1.1, B4.4). */

/** Offsets in the page of the fields that the host writes. */
export const RecEnter = {
  flags: 0x000,
  /** X0 to X30. */
  gprs: 0x200,
  gicv3Hcr: 0x300,
  gicv3Lrs: 0x308,
} as const;

/** Bits of `RecEnter.flags` (RmiRecEnterFlags). */
export const RecEnterFlag = {
  emulMmio: 1 << 0,
  injectSea: 1 << 1,
  trapWfi: 1 << 2,
  trapWfe: 1 << 3,
  ripasReject: 1 << 4,
  s2apReject: 1 << 5,
  devMemReject: 1 << 6,
  forceP0: 1 << 7,
} as const;

/** Offset of the half that the RMM writes when the REC exits. */
export const REC_EXIT_OFFSET = 0x800;

/** Offsets in the page of the fields that the RMM writes. */
export const RecExit = {
  /** u8. */
  reason: 0x800,
  esr: 0x900,
  far: 0x908,
  hpfar: 0x910,
  rttTree: 0x918,
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
  ripasBase: 0xd00,
  ripasTop: 0xd08,
  /** u8. */
  ripasValue: 0xd10,
  s2apBase: 0xd20,
  s2apTop: 0xd28,
  /** u16. */
  imm: 0xe00,
  plane: 0xe08,
  /** u8. */
  pmuOverflow: 0xf00,
} as const;

/** Values of `RecExit.reason` (RmiRecExitReason). */
export const RecExitReason = {
  Sync: 0,
  Irq: 1,
  Fiq: 2,
  Psci: 3,
  RipasChange: 4,
  HostCall: 5,
  SError: 6,
  S2apChange: 7,
} as const;
export type RecExitReason = (typeof RecExitReason)[keyof typeof RecExitReason];
