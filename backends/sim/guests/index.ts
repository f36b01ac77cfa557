export type { Guest, GuestDebug, GuestVcpu } from './guest.ts';
export type { BoardGuest } from './board/board-guest.ts';
export type { BoardListener } from './board/board.ts';
export type { TmkFactory } from './kind.ts';
export { featuresByIsolation, guestKinds, tmkKind, widestLimits } from './kinds.ts';
export { imageKind, linuxKind } from './board/board-kind.ts';
export { realmKind } from './realm/realm-kind.ts';
export { refusal } from './refusal.ts';
