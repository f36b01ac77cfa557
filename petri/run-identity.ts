import { shared } from './shared.ts';

/** What a run of tests or of a command is, for those who wait for its end. */
export interface RunIdentity {
  /** Absolute path of the run's folder. */
  readonly directory: string;
  /** Process whose death ends the run, such as vitest's main process. It may be this one. */
  readonly runner?: number;
}

/** Imports little, since every worker loads it. */
const own = shared<{ run?: RunIdentity }>('run-identity', () => ({}));

/** Sets the run to which this process belongs, before it starts anything. */
export function belongsTo(run: RunIdentity): void {
  own.run = run;
}

/** The run to which this process belongs, if it was set. */
export function runIdentity(): RunIdentity | undefined {
  return own.run;
}
