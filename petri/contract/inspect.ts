/** The general-purpose registers of a PE at EL1 or EL0, as 64-bit unsigned values. */
export interface Registers {
  /** X0 to X30. */
  readonly x: readonly bigint[];
  /** The stack pointer in use. */
  readonly sp: bigint;
  /** Address of the next instruction. */
  readonly pc: bigint;
  /** In the format of SPSR_EL2 (Arm ARM, C5.2). */
  readonly pstate: bigint;
}

/**
 * A plane's exit to plane 0, as RSI_PLANE_ENTER reports it (RMM specification 1.1, RsiPlaneExit), with the fields of
 * the syndrome decoded.
 */
export interface PlaneExit {
  /** Number of the exit since the plane was first entered, from 0. */
  readonly index: number;
  /**
   * RsiPlaneExitReason: an exception, an interrupt, a return forced by the host, or a value that the specification does
   * not have.
   */
  readonly reason:
    | 'sync'
    | 'irq'
    | 'host'
    | {
        /** The value. */
        readonly unknown: bigint;
      };
  /** ELR_EL2: where the plane was. */
  readonly pc: bigint;
  /** SPSR_EL2. */
  readonly pstate: bigint;
  /** ESR_EL2: the syndrome. */
  readonly esr: bigint;
  /** FAR_EL2: the faulting virtual address, for aborts. */
  readonly far: bigint;
  /** HPFAR_EL2: the page of the faulting intermediate physical address, for aborts. */
  readonly hpfar: bigint;
  /** ESR_EL2.EC. */
  readonly ec: number;
  /** The field names of the Arm ARM for this exception class, such as `DFSC`, `ISV`, `SAS`, `SRT`, `WnR`. */
  readonly iss: Readonly<Record<string, number>>;
  /** The intermediate physical address that HPFAR_EL2 and FAR_EL2 give, for aborts. */
  readonly ipa?: bigint;
  /** A line for people, such as `data abort: write of 8 bytes at IPA 0xffff0000, translation fault level 2`. */
  readonly summary: string;
}

/** What a test can see of one plane of a realm. Which members work, the backend's features say. */
export interface PlaneInspector {
  /** Number of the plane; 0 is the paravisor's. */
  readonly index: number;
  /**
   * Registers of the plane on a vCPU. Needs the feature `inspect.registers`.
   *
   * @param vcpu number of the vCPU, from 0 @default 0
   * @throws PetriError `invalid-option` where there is no such vCPU
   */
  registers(vcpu?: number): Registers;
  /**
   * A system register by its Arm ARM name, such as `SCTLR_EL1`. @throws PetriError `unsupported` for an unknown name
   */
  sysreg(name: string): bigint;
  /** The exits recorded so far, oldest first; the first and last of a very long run are kept. Needs `inspect.exits`. */
  readonly exits: readonly PlaneExit[];
  /** Number of exits, whether they are still recorded or not. */
  readonly exitCount: number;
  /** Effective stage-2 permissions of the plane at an IPA: any of `r`, `w`, `x` (EL1 execution), or '' for none. */
  permissions(ipa: bigint): string;
}

/** RIPAS values of the RMM specification (A5.2). */
export type Ripas = 'empty' | 'ram' | 'destroyed' | 'dev';

/** RsiRealmConfig (RMM specification, B5.4), decoded. */
export interface RealmConfig {
  /** Bits of intermediate physical address. */
  readonly ipaWidth: number;
  /** Of the measurements. */
  readonly hashAlgorithm: 'sha-256' | 'sha-512';
  /** Planes beside plane 0. */
  readonly numAuxPlanes: number;
  /** Realm Personalization Value: 64 bytes. */
  readonly rpv: Uint8Array;
}

/**
 * What a test can see of a realm from outside of it. Each member needs the feature of its name, such as `realm.config`.
 */
export interface RealmInspector {
  /** Needs `realm.config`. @throws PetriError `unsupported` */
  readonly config: RealmConfig;
  /**
   * The measurements of the realm; each has the length of the hash, 32 or 64 bytes. Needs `realm.measurements`.
   *
   * @throws PetriError `unsupported`
   */
  measurements(): {
    /** Realm Initial Measurement. */
    readonly rim: Uint8Array;
    /** The four Realm Extensible Measurements. */
    readonly rem: readonly Uint8Array[];
  };
  /** RIPAS at an IPA of the protected half. Needs `realm.ripas`. @throws PetriError `invalid-option` outside of it */
  ripas(ipa: bigint): Ripas;
}
