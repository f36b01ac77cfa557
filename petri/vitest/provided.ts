import type { ProbeResult, IsolationType } from '../contract/index.ts';

/** What the vitest process sends its workers. Plain data: it crosses a process boundary. */
export interface ProvidedSelection {
  readonly backend: string;
  /** Only the user's configuration file knows how to load it: the worker reads that file again. */
  readonly userBackend: boolean;
  readonly probe: ProbeResult & { readonly available: true };
  /** Empty: all of them. */
  readonly isolation: readonly IsolationType[];
  /** Process id of vitest itself: when it is gone, so is the run. */
  readonly runner: number;
  /** Absolute path of this run's folder, made when the first VM needs it. */
  readonly runDirectory: string;
}

/** What a command sends the workers that only list tests. */
export interface ProvidedSurvey {
  readonly backends: readonly { readonly name: string; readonly userBackend: boolean; readonly probe: ProbeResult }[];
  /** Isolation types that a run would select. Empty: all of them. */
  readonly isolation: readonly IsolationType[];
}

declare module 'vitest' {
  interface ProvidedContext {
    petri?: ProvidedSelection;
    petriSurvey?: ProvidedSurvey;
    /** Our plugin is there, and with it the declarations of our tags. */
    petriConfigured?: boolean;
    /** Features that the configuration declares, with what they mean. */
    petriFeatures?: Readonly<Record<string, string>>;
  }
}
