export { AgentLink, within } from './agent-link.ts';
export {
  fitsCommand,
  framePattern,
  hostCommands,
  LKVM_QUIT,
  newNonce,
  plane0Failure,
  type RealmRequest,
  shellCommands,
} from './agent-protocol.ts';
export { scaled, sessionBudgets } from './budgets.ts';
export { machineSlots } from './capacity.ts';
export { nudge } from './nudge.ts';
export { haltOf } from './outcome.ts';
export { type GuestPayload, Plane0, type RunEnd, type RunOptions } from './plane0.ts';
export { realmKey, realmRequest } from './realm-config.ts';
export { kvmtoolRefuses, realmLimits } from './realm-limits.ts';
export { digestOf, RunningDigest } from './running-digest.ts';
export { TmkVmmLog } from './tmk-vmm-log.ts';
