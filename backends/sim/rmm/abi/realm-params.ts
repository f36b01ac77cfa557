/** Offsets of RmiRealmParams, 4096 bytes that the host writes (RMM specification 1.1, B4.4). */
export const RealmParams = {
  flags: 0x000,
  /** u8: bits of intermediate physical address. */
  s2sz: 0x008,
  sveVl: 0x010,
  /** u8: number of breakpoints and of watchpoints, minus one. */
  numBps: 0x018,
  numWps: 0x020,
  pmuNumCtrs: 0x028,
  hashAlgorithm: 0x030,
  numAuxPlanes: 0x038,
  /** 64 bytes. */
  rpv: 0x400,
  atsPlane: 0x440,
  /** u16. */
  vmid: 0x800,
  rttBase: 0x808,
  /** Signed. */
  rttLevelStart: 0x810,
  /** u32. */
  rttNumStart: 0x818,
  flags1: 0x820,
  mecid: 0x828,
  /** u16 each, of planes 1, 2 and 3. */
  auxVmid: 0xf00,
  auxRttBase: 0xf80,
} as const;

/** Bits of `RealmParams.flags`. */
export const RealmFlag = { lpa2: 1, sve: 2, pmu: 4, da: 8 } as const;

/** Bits of `RealmParams.flags1`. */
export const RealmFlag1 = { rttTreePerPlane: 1, s2apIndirect: 2 } as const;
