export { accessBytes, Esr, hasValidSyndrome, isWrite, transferRegister, ZERO_REGISTER } from './esr.ts';
export { faultOrigin, vectorNote } from './fault-location.ts';
export { accessSummary, guestFault } from './guest-fault.ts';
export { isPermissionFault } from './fault-status.ts';
export { decodeSyndrome, summarizeSyndrome, type Syndrome } from './syndrome.ts';
export type { ExceptionState } from './vector-fetch.ts';
