import { beyondLimits, type VmSpec } from '../../../petri/contract/index.ts';
import { guestKinds } from './kinds.ts';

/** Why no guest of its isolation type can be made, though the widest limits of all kinds allow it. */
export function refusal({ isolation, config }: VmSpec): string | undefined {
  const kind = guestKinds.find((one) => one.isolation === isolation);
  if (kind === undefined) return undefined;
  const why = beyondLimits(`a simulated VM of isolation type '${isolation}'`, kind.limits, config);
  return why === undefined ? kind.refuses?.(config) : `the test ${why}`;
}
