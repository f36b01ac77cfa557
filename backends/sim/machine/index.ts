export { completeWait } from './complete-wait.ts';
export { Gic, VIRT_GIC } from './devices/gic/gic.ts';
export { machinePool, type Machine, type MemoryRange } from './machine-pool.ts';
export { GRANULE_SIZE, PhysicalMemory } from './physical-memory.ts';
