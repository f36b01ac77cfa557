import type { ExceptionLevel } from '../exception-level.ts';

/** What an access does, as bits: what AccessDescriptor and `aligned` are in the pseudocode of the Arm ARM. */
export const Access = { Read: 1, Write: 2, Execute: 4, Misaligned: 8 } as const;

/** Fault status codes (Arm ARM, D24.2.40, DFSC). Those of a walk have the level added. */
export const FaultStatus = { AddressSize: 0x00, Translation: 0x04, Permission: 0x0c, Alignment: 0x21 } as const;

/** What became of one access. */
export interface Translation {
  /** Place of the byte in linear memory; -1 where the access faults. */
  readonly place: number;
  /** Everything that the Exception level may do to the page, as bits of `Access`: what a TLB may answer from now on. */
  readonly allowed: number;
  /** The rest is of faults. Fault status code, with the level. */
  readonly status: number;
  /** The fault is one of stage 2, which EL2 takes. */
  readonly stage2: boolean;
  /** Of a fault of stage 2: intermediate physical address of the byte. */
  readonly ipa: number;
}

/**
 * A translation regime: the one way from a virtual address to a physical one, for instruction fetches and data, with
 * whatever stages it has. TLBs keep its answers for each Exception level until they are flushed.
 */
export interface Regime {
  /**
   * @param va address of the first byte
   * @param access bits of `Access`
   * @param el Exception level whose permissions count
   * @returns valid until the next call
   */
  translate(va: number, access: number, el: ExceptionLevel): Translation;
}
