import type { CpuContext } from '../../cpu/index.ts';
import { SysregEncoding } from '../abi/plane-sysregs.ts';

/** PSTATE of a plane that has never run: EL1h with DAIF set. */
export const RESET_PSTATE = 0x3c5;
/**
 * SCTLR_EL1 of a plane that has never run: MMU and caches off, SPAN, EIS, nTWE, nTWI, EOS, CP15BEN, SA0, SA and nAA
 * set.
 */
export const RESET_SCTLR = 0xc50878n;

const RESET_VALUES: readonly (readonly [number, bigint])[] = [
  [SysregEncoding.SCTLR_EL1, RESET_SCTLR],
  [SysregEncoding.MDSCR_EL1, 1n << 12n],
  [SysregEncoding.PMCR_EL0, 0x60n],
];

/** The initial PE state of a plane as set by TF-RMM when a REC is created; other registers have the Arm ARM's reset. */
export function resetContext(context: CpuContext, shadow: Map<number, bigint>): void {
  context.pstate = RESET_PSTATE;
  for (const [encoding, value] of RESET_VALUES) {
    if (!context.setSysreg(encoding, value)) shadow.set(encoding, value);
  }
}
