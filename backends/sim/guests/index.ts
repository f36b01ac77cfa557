export type { Guest } from './guest.ts';
export type { GuestFactory } from './kind.ts';
export { guestKind, guestKinds, widestLimits } from './kinds.ts';
export { realmKind } from './realm/realm-kind.ts';
export { refusal } from './refusal.ts';
