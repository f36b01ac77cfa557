export { DebuggedGuest } from './debugged-guest.ts';
export { DebugStub } from './stub.ts';
