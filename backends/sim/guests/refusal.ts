import { beyondLimits, type VmSpec } from '../../../petri/contract/index.ts';
import { findKind } from './kinds.ts';

/** Why no guest can be made for a test, though the widest limits of all kinds allow it. */
export function refusal(spec: VmSpec): string | undefined {
  const { isolation, payload, config } = spec;
  const kind = findKind(isolation, payload.kind);
  if (kind === undefined) return undefined;
  const what = payload.kind === 'tmk' ? 'VM' : 'board';
  const why = beyondLimits(`a simulated ${what} of isolation type '${isolation}'`, kind.limits, config);
  return why === undefined ? kind.refuses?.(spec) : `the test ${why}`;
}
