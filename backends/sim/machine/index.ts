export { completeWait } from './complete-wait.ts';
export { machinePool, type Machine, type MemoryRange } from './machine-pool.ts';
export { GRANULE_SIZE, PhysicalMemory } from './physical-memory.ts';
