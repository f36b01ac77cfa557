/** Where RAM begins in the realms that kvmtool makes, which the default IPA width depends on. */
const RAM_BASE = 2 ** 31;

/**
 * Forty times what the largest payload here runs. Where instructions are counted they take 10 s at most, of a core that
 * is not busy, whatever the guest does, so that the budget ends a guest that hangs before any time-out does.
 */
export const DEFAULT_MAX_INSTRUCTIONS = 1_000_000_000;

/**
 * Bits of intermediate physical address, as kvmtool chooses them: max(log2 of the last IPA, 32) + 1, in whole bits. The
 * upper half is unprotected.
 *
 * @param memory bytes of RAM
 */
export function defaultIpaWidth(memory: number): number {
  return Math.max(Math.ceil(Math.log2(RAM_BASE + memory)), 32) + 1;
}
