/** Arm SMC Calling Convention (DEN0028): definitions that RMI, RSI and PSCI share. */

/** X0 after a call that is not implemented. */
export const SMCCC_NOT_SUPPORTED = -1;

/** The caller's hint that no SVE state needs to be preserved; not part of the function number. */
const SVE_HINT = 0x1_0000;

/** Result of SMCCC_VERSION: 1.2. */
export const SMCCC_VERSION_1_2 = 0x1_0002;
export const SMCCC_VERSION = 0x8000_0000;

/** A function identifier without its SVE hint. */
export function functionId(low: number): number {
  return (low & ~SVE_HINT) >>> 0;
}

/** An interface revision in the encoding of RMI_VERSION and RSI_VERSION. */
function revision(major: number, minor: number): number {
  return major * 0x1_0000 + minor;
}

/** The revisions of RMI and RSI that are implemented. All have the same major number. */
const SUPPORTED = { lowest: revision(1, 0), highest: revision(1, 1) } as const;

/** Result of a version call: whether the requested revision is supported, and the two revisions to report. */
interface Negotiation {
  readonly compatible: boolean;
  readonly lower: number;
  readonly higher: number;
}

/**
 * Version negotiation of RMI_VERSION and RSI_VERSION (RMM specification, B2).
 *
 * @param requested X1 of the call; -1 if it cannot be a revision
 */
export function negotiate(requested: number): Negotiation {
  const { lowest, highest } = SUPPORTED;
  const compatible = requested >= lowest && requested <= highest;
  return { compatible, lower: compatible ? requested : highest, higher: highest };
}
