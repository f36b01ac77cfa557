export { GranuleAllocator } from './granule-allocator.ts';
export type { EnterResult } from './rec-exit-handler.ts';
export type { RecHandle } from './rec-handle.ts';
export { RAM_BASE, RealmVmm, type RealmVmmOptions } from './realm-vmm.ts';
