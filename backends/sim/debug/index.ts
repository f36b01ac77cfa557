export { DebuggedGuest } from './debugged-guest.ts';
export { Observation } from './observation.ts';
export { DebugStub } from './stub.ts';
