import type { LinearMemory } from './linear-memory.ts';
import { MachineCpu } from './machine-cpu.ts';
import type { CpuOptions, DebuggableCpu } from './types.ts';

export { type Alarm, Clock } from './clock.ts';
export { type DebugControl, type DebugStop, type TraceSink } from './debug/debug-control.ts';
export { Watched, type Watchpoint } from './debug/watchpoints.ts';
export { storedRegisters } from './pe/system-registers.ts';
export { LinearMemory } from './linear-memory.ts';
export { DRAM_OFFSET, RECORD_PAGE_BYTES, RECORD_PAGES } from './layout.ts';
export { COUNTER_FREQUENCY, counterAt } from './pe/generic-timer.ts';
export type * from './types.ts';
export { ExceptionClass, NO_INTERRUPT, Permission, RunExit } from './types.ts';

/** Makes the processors of a linear memory; they own its bytes below `DRAM_OFFSET`. */
export function createCpu(memory: LinearMemory, options: CpuOptions = {}): DebuggableCpu {
  return new MachineCpu(memory, options);
}
