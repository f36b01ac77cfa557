export { separateGroups } from './groups.ts';
export { type Outcome, type OutcomeKind, outcomeOf } from './outcome.ts';
export { byCount, PetriSummary, type SummarizedBackend, summarize } from './summary.ts';
