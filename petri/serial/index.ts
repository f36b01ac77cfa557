export type { SerialMatch } from './boot-stream.ts';
export type { Gap } from './byte-history.ts';
export { LOG_LIMIT, SerialConsole, type LineEnding, type SerialConsoleOptions, type WaitOptions } from './console.ts';
export { describePattern, type SerialPattern } from './pattern.ts';
export { hostClock, type WaitClock, type WaitTimer } from './wait-clock.ts';
export { connectConsole, type TcpConsole, type TcpConsoleOptions } from './tcp-console.ts';
