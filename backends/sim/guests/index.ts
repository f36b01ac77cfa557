export type { Guest } from './guest.ts';
export type { GuestFactory } from './kind.ts';
export { guestKind, guestKinds, widestLimits } from './kinds.ts';
export { checkConfig } from './limits.ts';
export { realmKind } from './realm/realm-kind.ts';
