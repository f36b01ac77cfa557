/** Byte offsets in RsiPlaneRun (RMM specification 1.1; rmm-abi 2.3), of the fields that the plane-run core uses. */
export const planeRun = {
  enter: { flags: 0x000, pc: 0x008, pstate: 0x010, gprs: 0x100, gicv3Hcr: 0x200 },
  exit: {
    reason: 0x800,
    pc: 0x900,
    esr: 0x908,
    far: 0x910,
    hpfar: 0x918,
    pstate: 0x920,
    gprs: 0xa00,
    gicv3Hcr: 0xb00,
  },
} as const;

/** RsiPlaneEnterFlags (rmm-abi 2.4). */
export const EnterFlags = { trapSimd: 1n << 4n } as const;
