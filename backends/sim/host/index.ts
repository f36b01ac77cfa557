export type { EnterResult } from './rec-exit-handler.ts';
export { GranuleAllocator } from './granule-allocator.ts';
export type { MmioDevice } from './mmio-bus.ts';
export { RAM_BASE, RealmVmm, type RealmVmmOptions, type RecSetup } from './realm-vmm.ts';
export type { RecHandle } from './rec-handle.ts';
