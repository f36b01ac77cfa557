import { shared } from './shared.ts';

/** What a run of tests or of a command is, for those who wait for its end. */
export interface RunIdentity {
  /** Absolute path of the run's folder. */
  readonly directory: string;
  /** Process whose death ends the run, such as vitest's main process. It may be this one. */
  readonly runner?: number;
}

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
