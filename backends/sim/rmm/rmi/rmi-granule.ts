import { RmiStatus } from '../abi/status.ts';
import { GranuleState } from '../realm/granule.ts';
import type { RmiCall } from './rmi-call.ts';

/** RMI_GRANULE_DELEGATE: from now on the Normal world cannot access the granule, not even through a realm's TLB. */
export function granuleDelegate({ state }: RmiCall, pa: number): number {
  const { granules } = state;
  if (!granules.is(pa, GranuleState.Undelegated)) return RmiStatus.ErrorInput;
  granules.set(pa, GranuleState.Delegated);
  if (granules.takeExposed(pa)) {
    for (const realm of state.realms.values()) realm.invalidate(realm.rtt.parTop, realm.rtt.ipaTop - realm.rtt.parTop);
  }
  return RmiStatus.Success;
}

/** RMI_GRANULE_UNDELEGATE: the granule is cleared for the host. */
export function granuleUndelegate({ state }: RmiCall, pa: number): number {
  const { granules } = state;
  if (!granules.is(pa, GranuleState.Delegated)) return RmiStatus.ErrorInput;
  granules.wipe(pa);
  granules.set(pa, GranuleState.Undelegated);
  return RmiStatus.Success;
}
