/** A field of an identification register: its lowest bit and its value. */
type Field = readonly [shift: number, value: number];

/**
 * What the registers of instruction set attributes and of the memory model say (Arm ARM, D24.2), and so what decoder
 * and translation know. Fields that are not here are zero: the extension is absent.
 */
export const extensions = {
  ID_AA64ISAR0_EL1: {
    /** FEAT_PMULL too. */
    AES: [4, 2],
    SHA1: [8, 1],
    /** FEAT_SHA512 too. */
    SHA2: [12, 2],
    CRC32: [16, 1],
    /** FEAT_LSE. */
    Atomic: [20, 2],
    RDM: [28, 1],
    SHA3: [32, 1],
    SM3: [36, 1],
    SM4: [40, 1],
    DP: [44, 1],
    FHM: [48, 1],
    /** FEAT_FlagM2. */
    TS: [52, 2],
    RNDR: [60, 1],
    /** TLBI by range, and for the Outer Shareable domain. */
    TLB: [56, 2],
  },
  ID_AA64ISAR1_EL1: {
    /** DC CVAP and CVADP. */
    DPB: [0, 2],
    /** FEAT_PAuth2 and FEAT_FPACCOMBINE, with an algorithm that is implementation defined, as GPI says of PACGA. */
    API: [8, 5],
    JSCVT: [12, 1],
    FCMA: [16, 1],
    /** FEAT_LRCPC3. */
    LRCPC: [20, 3],
    GPI: [28, 1],
    FRINTTS: [32, 1],
    SB: [36, 1],
    SPECRES: [40, 1],
    BF16: [44, 1],
    DGH: [48, 1],
    I8MM: [52, 1],
  },
  ID_AA64ISAR2_EL1: {
    WFxT: [0, 2],
    MOPS: [16, 1],
    /** FEAT_CONSTPACFIELD. */
    PAC_frac: [24, 1],
    CSSC: [52, 1],
  },
  ID_AA64MMFR0_EL1: {
    /** 48 bits. */
    PARange: [0, 5],
    /** 16 bits. */
    ASIDBits: [4, 2],
    /** Granules of 16 KiB; those of 4 and 64 KiB are there where their fields are zero. */
    TGran16: [20, 1],
  },
  ID_AA64MMFR1_EL1: {
    /** Access flag and dirty state. */
    HAFDBS: [0, 2],
    HPDS: [12, 1],
    /** FEAT_PAN2: AT S1E1RP and S1E1WP; FEAT_PAN3: SCTLR_EL1.EPAN. */
    PAN: [20, 3],
    nTLBPA: [48, 1],
  },
  ID_AA64MMFR2_EL1: {
    CnP: [0, 1],
    UAO: [4, 1],
    /** Small tables. */
    ST: [28, 1],
    /** FEAT_LSE2. */
    AT: [32, 1],
    /** The hint is ignored. */
    TTL: [48, 1],
    /** Level 2: no conflict aborts, whatever entries of other sizes are kept. */
    BBM: [52, 2],
    E0PD: [60, 1],
  },
  ID_AA64PFR1_EL1: {
    BT: [0, 1],
    /** With MSR and MRS. */
    SSBS: [4, 2],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** The same for a PE that has EL2, in addition. */
export const extensionsOfEl2 = {
  ID_AA64PFR0_EL1: {
    /** AArch64 only. */
    EL2: [8, 1],
  },
  ID_AA64MMFR1_EL1: {
    /** 16 bits. */
    VMIDBits: [4, 2],
    VH: [8, 1],
    /** Execute-never by Exception level in stage 2. */
    XNX: [28, 1],
  },
  ID_AA64MMFR2_EL1: {
    /** FEAT_S2FWB. */
    FWB: [40, 1],
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** The value of a register with these fields. */
export function valueOf(fields: Readonly<Record<string, Field>>): bigint {
  return Object.values(fields).reduce((value, [shift, field]) => value | (BigInt(field) << BigInt(shift)), 0n);
}
