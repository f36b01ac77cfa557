import type { ExceptionLevel } from '../../exception-level.ts';
import type { TlbInvalidation, TlbMaintenance } from '../../mmu/tlb-invalidation.ts';
import { El2Slot, type El2State } from './el2-state.ts';

/** What a TLBI drops on a PE with EL2: of EL1, only what is of the current VMID (Arm ARM, D8.17). */
export function invalidationWithEl2(
  el2: El2State,
  el: ExceptionLevel,
  { regime, bothStages, anyVmid }: TlbMaintenance,
  request: TlbInvalidation,
): TlbInvalidation {
  // Those of EL1 are about the EL2&0 regime where EL2 is a host.
  if (regime === 'el2' || (el === 2 && bothStages !== true && el2.hosts)) return { ...request, regime: 'el2' };
  const vmid = anyVmid === true ? {} : { vmid: el2.high(El2Slot.VTTBR) >>> 16 };
  return { ...request, ...vmid, bothStages: bothStages === true };
}
