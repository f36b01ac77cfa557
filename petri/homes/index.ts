export { makePrivate, requireUsable, unusable, whyUnusable } from './folders.ts';
export {
  expandHome,
  fallbackRoot,
  type Home,
  makeFallbackRoot,
  runsHome,
  runsVariable,
  stateHome,
  stateVariable,
  temporaryHome,
  userHome,
} from './homes.ts';
