export {
  hasTestEnvironment,
  setTestEnvironment,
  type SurveyedBackend,
  type TestEnvironment,
  testEnvironment,
} from './environment.ts';
export { paceOf, stretched } from './stretch.ts';
export {
  featureTag,
  featureTagDefinition,
  isolationTag,
  parseTags,
  type TagDefinition,
  tagDefinitions,
} from './tags.ts';
export type { PetriTaskMeta, SkipCause } from './task-meta.ts';
