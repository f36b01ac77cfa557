export { makePrivate, requireUsable, unusable, whyUnusable } from './folders.ts';
export {
  cacheHome,
  cacheVariable,
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
