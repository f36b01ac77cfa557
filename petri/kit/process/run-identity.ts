import type { RunIdentity } from './types.ts';

/** A test runner may load this module more than once in a process. Nothing else is imported: every worker loads it. */
const key = Symbol.for('petri-vm.run-identity');
const shared = globalThis as { [key]?: RunIdentity };

/** Says which run this process belongs to, before it starts anything. */
export function belongsTo(run: RunIdentity): void {
  shared[key] = run;
}

/** The run that this process belongs to, if it was said. */
export function runIdentity(): RunIdentity | undefined {
  return shared[key];
}
