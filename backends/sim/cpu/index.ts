import type { LinearMemory } from './linear-memory.ts';
import { MachineCpu } from './machine-cpu.ts';
import type { Cpu, CpuOptions } from './types.ts';

export { type Alarm, Clock } from './clock.ts';
export { LinearMemory } from './linear-memory.ts';
export { DRAM_OFFSET } from './layout.ts';
export { COUNTER_FREQUENCY, counterAt } from './pe/generic-timer.ts';
export type * from './types.ts';
export { ExceptionClass, NO_INTERRUPT, Permission, RunExit } from './types.ts';

/** Makes the processors of a linear memory; they own its bytes below `DRAM_OFFSET`. */
export function createCpu(memory: LinearMemory, options: CpuOptions = {}): Cpu {
  return new MachineCpu(memory, options);
}
