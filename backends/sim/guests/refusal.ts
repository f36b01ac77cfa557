import { beyondLimits, type VmSpec } from '../../../petri/contract/index.ts';
import { findKind } from './kinds.ts';

/** Why no guest can be made for a test, though the widest limits of all kinds allow it. */
export function refusal({ isolation, payload, config }: VmSpec): string | undefined {
  const kind = findKind(isolation, payload.kind);
  if (kind === undefined) return undefined;
  const what = payload.kind === 'tmk' ? 'VM' : 'machine';
  const why = beyondLimits(`a simulated ${what} of isolation type '${isolation}'`, kind.limits, config);
  return why === undefined ? kind.refuses?.(config) : `the test ${why}`;
}
