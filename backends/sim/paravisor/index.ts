export { Access, serveAccess, storedAddress } from './data-abort.ts';
export { ExitLog } from './exit-log.ts';
export { type PlaneOutcome, PlaneRunCore } from './plane-run-core.ts';
