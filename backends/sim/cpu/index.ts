import type { LinearMemory } from './linear-memory.ts';
import { MachineCpu } from './machine-cpu.ts';
import type { Cpu, CpuOptions } from './types.ts';

export { Clock } from './clock.ts';
export { LinearMemory } from './linear-memory.ts';
export { DRAM_OFFSET } from './layout.ts';
export type * from './types.ts';
export { ExceptionClass, Permission, RunExit } from './types.ts';

/** Processors on a linear memory whose bytes below `DRAM_OFFSET` are theirs. */
export function createCpu(memory: LinearMemory, options: CpuOptions = {}): Cpu {
  return new MachineCpu(memory, options);
}
