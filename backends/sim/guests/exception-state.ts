import type { ExceptionState } from '../../../petri/kit/arm/index.ts';
import type { CpuContext } from '../cpu/index.ts';
import { SysregEncoding } from '../rmm/index.ts';

export function exceptionState(context: CpuContext | undefined): ExceptionState | undefined {
  if (context === undefined) return undefined;
  const sysreg = (name: keyof typeof SysregEncoding): bigint => context.sysreg(SysregEncoding[name]) ?? 0n;
  return {
    pc: context.pc,
    vbar: sysreg('VBAR_EL1'),
    elr: sysreg('ELR_EL1'),
    spsr: sysreg('SPSR_EL1'),
    esr: sysreg('ESR_EL1'),
  };
}
