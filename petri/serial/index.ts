export type { SerialMatch } from './boot-stream.ts';
export type { Gap } from './history/byte-history.ts';
export { LOG_LIMIT, SerialConsole, type ConsoleMark, type LineEnding, type SerialConsoleOptions } from './console.ts';
export type { WaitOptions } from './match/wait-options.ts';
export { describePattern, type SerialPattern } from './match/pattern.ts';
export { hostClock, type WaitClock, type WaitTimer } from './match/wait-clock.ts';
export { connectConsole, type TcpConsole, type TcpConsoleOptions } from './tcp/tcp-console.ts';
