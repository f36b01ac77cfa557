export type { Guest } from './guest.ts';
export { checkConfig, limits } from './limits.ts';
export { PlainGuest } from './plain/plain-guest.ts';
export { RealmGuest } from './realm/realm-guest.ts';
