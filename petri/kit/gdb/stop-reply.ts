import type { GdbStop, WatchKind } from './target.ts';

/** Signals, as the protocol numbers them (gdb/signals.def). */
const Signal = { Int: 2, Trap: 5, Abort: 6 } as const;

const watchNames: Readonly<Record<WatchKind, string>> = { write: 'watch', read: 'rwatch', access: 'awatch' };

/** A stop reply packet. @param breakReason whether the debugger takes `swbreak` */
export function stopReply(stop: GdbStop, breakReason: boolean): string {
  const signal = stop.kind === 'interrupt' ? Signal.Int : stop.kind === 'failure' ? Signal.Abort : Signal.Trap;
  return `T${hexByte(signal)}thread:${stop.thread.toString(16)};${reason(stop, breakReason)}`;
}

function reason(stop: GdbStop, breakReason: boolean): string {
  switch (stop.kind) {
    case 'breakpoint':
      return breakReason ? 'swbreak:;' : '';
    case 'watchpoint':
      return `${watchNames[stop.watch]}:${stop.address.toString(16)};`;
    case 'history':
      return `replaylog:${stop.end};`;
    default:
      return '';
  }
}

export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
