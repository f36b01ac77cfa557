/**
 * What a test was skipped for: `unselected` by the user's choice of isolation types; `backend`, which by its nature
 * cannot run it; `host`, which lacks what the backend needs for it elsewhere; `unstable`, a failure that the test has
 * announced.
 */
export type SkipCause = 'unselected' | 'backend' | 'host' | 'unstable';

/** What is kept of a VM test beside vitest's own result; other tests have none of it. */
export interface PetriTaskMeta {
  /** It was begun, whatever came of it. */
  began?: boolean;
  /** Why it was skipped; absent where its body skipped it. */
  skip?: SkipCause;
  /** Where tests are only listed: what it requires, in words; '' where that is nothing. */
  requirement?: string;
  /** Where tests are only listed: by backend, why the test would be skipped there, or null. */
  skippedOn?: Readonly<Record<string, string | null>>;
}

declare module 'vitest' {
  interface TaskMeta {
    petri?: PetriTaskMeta;
  }
}
