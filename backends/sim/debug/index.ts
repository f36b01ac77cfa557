export { DebuggedGuest } from './debugged-guest.ts';
export { Observation } from './observation.ts';
export { type Debugging, debuggingOf, DebugStub } from './stub.ts';
