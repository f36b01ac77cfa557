import { describe, expect, it } from 'vitest';
import { TmkChannel } from './channel.ts';

function channel(): { channel: TmkChannel; printed: () => string; logged: string[] } {
  let text = '';
  const logged: string[] = [];
  return {
    channel: new TmkChannel({
      print: (bytes) => void (text += Buffer.from(bytes).toString()),
      log: (message) => logged.push(message),
    }),
    printed: () => text,
    logged,
  };
}

describe('TmkChannel', () => {
  it('prints log messages as lines, and panics with their location', () => {
    const { channel: tmk, printed } = channel();
    tmk.accept({ kind: 'log', message: 'grüße' });
    tmk.accept({ kind: 'panic', message: 'oh no', file: 'main.rs', line: 7 });
    expect(printed()).toBe('grüße\npanic: oh no (main.rs:7)\n');
  });

  it('lets only the first verdict decide', () => {
    const { channel: tmk, printed } = channel();
    tmk.accept({ kind: 'complete', success: true });
    tmk.accept({ kind: 'panic', message: 'still running?', file: 'a', line: 1 });
    expect(tmk.verdict).toEqual({ kind: 'complete', success: true });
    expect(tmk.events).toHaveLength(1);
    expect(printed()).toBe('');
  });

  it('logs a rejected command and continues', () => {
    const { channel: tmk, logged } = channel();
    const event = tmk.decode(0x1234, () => undefined);
    tmk.accept(event);
    expect(event).toMatchObject({ kind: 'rejected' });
    expect(logged).toEqual(['TMK command rejected: the command block at 0x1234 is outside of RAM']);
    expect(tmk.verdict).toBeUndefined();
  });

  it('keeps a bounded number of events, reports that, and still keeps the verdict', () => {
    const { channel: tmk } = channel();
    for (let n = 0; n < 20_000; n++) tmk.accept({ kind: 'log', message: `line ${n}` });
    tmk.accept({ kind: 'complete', success: false });
    expect(tmk.events).toHaveLength(10_002);
    expect(tmk.events.at(-2)).toEqual({ kind: 'rejected', message: expect.stringContaining('not kept') });
    expect(tmk.events.at(-1)).toEqual({ kind: 'complete', success: false });
  });
});
