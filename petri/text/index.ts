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
export { print, printBetween, printError, printJson, writeTerminal } from './print.ts';
export { TerminalFilter } from './terminal.ts';
