import { systemIss } from './instruction-syndrome.ts';
import { encodeSysreg, sysreg } from './system-registers.ts';
import { ExceptionClass } from '../types.ts';

/** Bits of SCTLR_EL1 and CNTKCTL_EL1 that let EL0 do something (Arm ARM, D24.2.118 and D24.12.10). */
const Sctlr = { UMA: 1 << 9, DZE: 1 << 14, UCT: 1 << 15, nTWI: 1 << 16, nTWE: 1 << 18, UCI: 1 << 26 } as const;
const Cntkctl = { EL0PCTEN: 1, EL0VCTEN: 2 } as const;

const CACHE_OPERATIONS = 7;
const ZERO_BY_VA = encodeSysreg(1, 3, 7, 4, 1);

/** Whether EL1 has left an access to EL0; undefined where that is not for EL1 to choose. */
function allowed(encoding: number, sctlr: number, cntkctl: number): boolean | undefined {
  switch (encoding) {
    case sysreg.CTR_EL0:
      return (sctlr & Sctlr.UCT) !== 0;
    case ZERO_BY_VA:
      return (sctlr & Sctlr.DZE) !== 0;
    case sysreg.DAIF:
      return (sctlr & Sctlr.UMA) !== 0;
    case sysreg.CNTVCT_EL0:
      return (cntkctl & Cntkctl.EL0VCTEN) !== 0;
    case sysreg.CNTPCT_EL0:
      return (cntkctl & Cntkctl.EL0PCTEN) !== 0;
    case sysreg.CNTFRQ_EL0:
      return (cntkctl & (Cntkctl.EL0PCTEN | Cntkctl.EL0VCTEN)) !== 0;
    default: {
      const cacheByVa = encoding >> 11 === ((1 << 3) | 3) && ((encoding >> 7) & 15) === CACHE_OPERATIONS;
      return cacheByVa ? (sctlr & Sctlr.UCI) !== 0 : undefined;
    }
  }
}

/** Exception class and ISS of the exception to EL1 that a system instruction of EL0 takes; undefined where it takes none. */
export function trapOfEl0(
  word: number,
  encoding: number,
  sctlr: number,
  cntkctl: number,
): readonly [ec: number, iss: number] | undefined {
  const isDaifImmediate = (word & 0xffff_f0df) >>> 0 === 0xd503_40df;
  if (allowed(isDaifImmediate ? sysreg.DAIF : encoding, sctlr, cntkctl) !== false) return undefined;
  return [ExceptionClass.Sysreg, systemIss(word)];
}

/** Whether WFI or WFE of EL0 is trapped to EL1. */
export function waitTrapsFromEl0(event: boolean, sctlr: number): boolean {
  return (sctlr & (event ? Sctlr.nTWE : Sctlr.nTWI)) === 0;
}
