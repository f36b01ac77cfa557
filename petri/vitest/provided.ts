import type { ProbeResult, IsolationType } from '../contract/index.ts';

/** Data that the vitest process sends to its workers. It must be serialisable. */
export interface ProvidedSelection {
  readonly backend: string;
  /** Whether the user's configuration file is needed to load it: the worker reads that file again. */
  readonly userBackend: boolean;
  readonly probe: ProbeResult & { readonly available: true };
  /** Empty for all of them. */
  readonly isolation: readonly IsolationType[];
  /** Process id of vitest itself, whose end is the end of the run. */
  readonly runner: number;
  /** Absolute path of this run's folder, created when the first VM needs it. */
  readonly runDirectory: string;
}

/** Data that a command sends to workers that only list tests. */
export interface ProvidedSurvey {
  readonly backends: readonly { readonly name: string; readonly userBackend: boolean; readonly probe: ProbeResult }[];
  /** Isolation types that a run would select. Empty for all of them. */
  readonly isolation: readonly IsolationType[];
}

declare module 'vitest' {
  interface ProvidedContext {
    petri?: ProvidedSelection;
    petriSurvey?: ProvidedSurvey;
    /** Whether our plugin is present, which declares our tags. */
    petriConfigured?: boolean;
    /** Features that the configuration declares, with their descriptions. */
    petriFeatures?: Readonly<Record<string, string>>;
  }
}
