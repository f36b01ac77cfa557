import type { Registers } from '../../../petri/contract/index.ts';
import type { CpuContext } from '../cpu/index.ts';

export function readRegisters(context: CpuContext): Registers {
  return {
    x: Array.from({ length: 31 }, (_, n) => context.x(n)),
    sp: context.sp,
    pc: context.pc,
    pstate: BigInt(context.pstate),
  };
}
