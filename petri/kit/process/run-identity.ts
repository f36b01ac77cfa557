import { shared } from '../../shared.ts';
import type { RunIdentity } from './types.ts';

/** Little else is imported: every worker loads it. */
const own = shared<{ run?: RunIdentity }>('run-identity', () => ({}));

/** Says which run this process belongs to, before it starts anything. */
export function belongsTo(run: RunIdentity): void {
  own.run = run;
}

/** The run that this process belongs to, if it was said. */
export function runIdentity(): RunIdentity | undefined {
  return own.run;
}
