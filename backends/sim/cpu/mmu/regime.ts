import type { ExceptionLevel } from '../exception-level.ts';

/**
 * Kinds of access, as bits: AccessDescriptor and `aligned` in the pseudocode of the Arm ARM. `Misaligned` stands for
 * everything that faults on Device memory, and so for DC ZVA as well. `Speculative` is an access of the engine's own,
 * which must leave no trace; `TableWalk` is that of a walk of stage 1.
 */
export const Access = { Read: 1, Write: 2, Execute: 4, Misaligned: 8, Speculative: 16, TableWalk: 32 } as const;

/** Fault status codes (Arm ARM, D24.2.40, DFSC). Those of a table walk have the level added. */
export const FaultStatus = {
  AddressSize: 0x00,
  Translation: 0x04,
  AccessFlag: 0x08,
  Permission: 0x0c,
  /** A synchronous External abort in a table walk: there is no memory. */
  ExternalInWalk: 0x14,
  Alignment: 0x21,
} as const;

/** The result of translating one access. */
export interface Translation {
  /** Offset of the byte in linear memory; -1 if the access faults. */
  readonly place: number;
  /** Everything that the Exception level may do to the page, as bits of `Access`: what a TLB may cache. */
  readonly allowed: number;
  /** Whether stage 1 says that indirect branches to the page must go to landing pads (GP). Default: no. */
  readonly guarded?: boolean;
  /** For a fault, as are the fields below: the fault status code, with the level. */
  readonly status: number;
  /** Whether it is a stage 2 fault, which EL2 takes. */
  readonly stage2: boolean;
  /** For a stage 2 fault: the intermediate physical address of the byte, or of the descriptor in a table walk. */
  readonly ipa: number;
  /** For a stage 2 fault: whether a stage 1 table walk took it (ISS.S1PTW). */
  readonly inWalk: boolean;
  /** For a stage 2 fault: whether it is one of the guest's own stage 2, which its EL2 takes. Default: no. */
  readonly guest?: boolean;
  /** For a stage 2 fault in a table walk: whether the walk was to write to the descriptor. Default: no. */
  readonly walkWrites?: boolean;
  /** Of an access that does not fault: whether the entry is for all ASIDs (nG is clear). */
  readonly global: boolean;
  /** Whether stage 1 has it as Device memory, on which misaligned accesses fault. */
  readonly device: boolean;
  /** log2 of the size in bytes of the page or block of stage 1 that maps the address. */
  readonly spanBits: number;
}

/**
 * A translation regime: translates virtual addresses to physical ones, for instruction fetches and data, in all of its
 * stages. TLBs cache its results for each Exception level until they are flushed.
 */
export interface Regime {
  /**
   * @param va address of the first byte
   * @param access bits of `Access`
   * @param el Exception level whose permissions count
   * @returns valid until the next call
   */
  translate(va: number, access: number, el: ExceptionLevel): Translation;
  /** Drops what the regime keeps of the tables above the last level, if anything. */
  dropWalks?(): void;
}
