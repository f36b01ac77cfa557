export { BoundedLog } from './bounded-log.ts';
export {
  harmlessJson,
  harmlessLine,
  harmlessMessage,
  harmlessOutput,
  harmlessText,
  quoted,
  quotedLines,
} from './harmless.ts';
export { print, printError, printJson } from './print.ts';
