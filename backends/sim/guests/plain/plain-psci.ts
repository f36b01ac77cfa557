/** Result of a PSCI call (Arm DEN0022, PSCI 1.1) on a machine with one PE. */
type PsciResult =
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'power-off' | 'reset' }
  /** The function is not implemented. */
  | { readonly kind: 'unknown' };

const NOT_SUPPORTED = -1n;
const SUCCESS = 0n;
/** MIGRATE_INFO_TYPE: there is no Trusted OS to migrate. */
const NO_TRUSTED_OS = 2n;

const Psci = {
  VERSION: 0x8400_0000,
  MIGRATE_INFO_TYPE: 0x8400_0006,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  FEATURES: 0x8400_000a,
} as const;
const served: readonly number[] = Object.values(Psci);

/**
 * @param functionId W0 of the call
 * @param argument W1 of the call
 */
export function servePsci(functionId: number, argument: number): PsciResult {
  switch (functionId) {
    case Psci.VERSION:
      return { kind: 'value', value: 0x1_0001n };
    case Psci.MIGRATE_INFO_TYPE:
      return { kind: 'value', value: NO_TRUSTED_OS };
    case Psci.SYSTEM_OFF:
      return { kind: 'power-off' };
    case Psci.SYSTEM_RESET:
      return { kind: 'reset' };
    case Psci.FEATURES:
      return { kind: 'value', value: served.includes(argument) ? SUCCESS : NOT_SUPPORTED };
    default:
      return { kind: 'unknown' };
  }
}
