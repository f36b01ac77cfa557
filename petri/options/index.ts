export { checkArgument, checkOptions, isObject, type OptionRules } from './check-options.ts';
export { didYouMean, nearest } from './nearest.ts';
export {
  abortSignal,
  atLeast,
  bigInteger,
  anyText,
  bytesOrText,
  flag,
  listOf,
  milliseconds,
  oneOf,
  oneOfThese,
  pattern,
  text,
  textOrPattern,
  type Rule,
} from './rules.ts';
