import { describe, expect, it } from 'vitest';
import type { TmkImage } from '../contract/index.ts';
import { TmkMonitor } from './monitor.ts';
import { COMMAND_ADDRESS, COMMAND_SIZE } from './protocol.ts';

const BASE = 0x8000_0000;
const image: TmkImage = {
  tests: [],
  segments: [],
  entry: 0,
  span: { start: 0, end: 0x1000 },
  symbolAt: (address) => (address < 0x1000 ? { name: 'main', offset: address } : undefined),
};

function monitorOf(): { monitor: TmkMonitor; lines: string[]; printed: () => string } {
  const lines: string[] = [];
  let text = '';
  const print = (bytes: Uint8Array): void => void (text += Buffer.from(bytes).toString());
  return {
    monitor: new TmkMonitor(image, BASE, { print, log: (line) => lines.push(line) }),
    lines,
    printed: () => text,
  };
}

const registersAt = (pc: number) => ({ x: [], sp: 0n, pc: BigInt(pc), pstate: 0n });

describe('an access outside of RAM', () => {
  it.each([
    [0, false],
    [0xffff, false],
    [0x1_0000, true],
    [BASE - 0x1_0001, true],
    [BASE - 0x1_0000, false],
    [BASE - 1, false],
    [0xff00_0000, true],
    [COMMAND_ADDRESS, true],
  ])('at 0x%x is emulated: %s', (ipa, emulated) => {
    expect(monitorOf().monitor.emulates(ipa)).toBe(emulated);
  });

  it('is logged with what becomes of it, and of a million only the first', () => {
    const { monitor, lines } = monitorOf();
    let summaries = 0;
    const summary = (): string => {
      summaries += 1;
      return 'write of 8 bytes';
    };
    monitor.read(0xff00_0000, () => 'read of 4 bytes');
    for (let count = 0; count < 1_000_000; count++) monitor.write(-1, 0xabc, summary);
    expect(lines.slice(0, 2)).toEqual([
      'read of 4 bytes: no device; read as all ones',
      'write of 8 bytes: no device; ignored 0xabcffffffff',
    ]);
    expect(lines.at(-1)).toBe('writes to no device: no further lines of this kind');
    expect([lines.length, summaries]).toEqual([18, 16]);
    // Each kind has its own bound.
    monitor.read(0xff00_0000, () => 'another');
    expect(lines.at(-1)).toBe('another: no device; read as all ones');
  });

  it('is not logged where it reads the command address', () => {
    const { monitor, lines } = monitorOf();
    monitor.read(COMMAND_ADDRESS, () => 'read');
    expect(lines).toEqual([]);
  });
});

describe('a command', () => {
  /** A block of tmk_protocol: its tag, and for Complete whether the test passed. */
  const complete = (success: number): Uint8Array =>
    Uint8Array.of(2, 0, 0, 0, success, ...Array<number>(COMMAND_SIZE - 5).fill(0));

  it.each([
    [1, true],
    [0, false],
  ])('that says %i halts the run with that verdict, and none after it counts', (said, success) => {
    const { monitor } = monitorOf();
    expect(monitor.halt).toBeUndefined();
    expect(monitor.command(8, BASE, () => complete(said))).toEqual({ reason: 'complete', success });
    expect(monitor.command(8, BASE, () => complete(1 - said))).toEqual({ reason: 'complete', success });
    expect(monitor.events).toEqual([{ kind: 'complete', success }]);
  });

  it('that is a panic halts the run with its message and its place', () => {
    const { monitor, printed } = monitorOf();
    monitor.channel.accept({ kind: 'panic', message: 'oh no', file: 'main.rs', line: 7 });
    expect(monitor.halt).toEqual({ reason: 'panic', message: 'oh no', location: 'main.rs:7' });
    expect(printed()).toBe('panic: oh no (main.rs:7)\n');
  });

  it('that cannot be read lets the run go on', () => {
    const { monitor, lines } = monitorOf();
    expect(monitor.command(4, BASE, () => undefined)).toBeUndefined();
    expect(monitor.command(8, 0x10, () => undefined)).toBeUndefined();
    expect(lines).toEqual([
      'TMK command rejected: a store of 4 bytes to the command address, expected 8',
      'TMK command rejected: the command block at 0x10 is outside of RAM',
    ]);
  });
});

describe('a run that ends where its guest is', () => {
  it('names the symbol there', () => {
    const { monitor } = monitorOf();
    const registers = registersAt(BASE + 0x10);
    expect(monitor.haltAt('fault', 'it cannot go on', registers)).toEqual({
      reason: 'fault',
      message: 'it cannot go on',
      registers,
      symbol: { name: 'main', offset: 0x10 },
    });
    expect(monitor.expired('timeout', 'the deadline passed', registers, '; it is a vector')).toMatchObject({
      reason: 'timeout',
      message: 'the deadline passed; it was at 0x80000010 (main+0x10); it is a vector',
      symbol: { name: 'main', offset: 0x10 },
    });
  });

  it('has no symbol elsewhere', () => {
    const halt = monitorOf().monitor.expired('budget', 'it was too much', registersAt(0x10));
    expect(halt).toEqual({
      reason: 'budget',
      message: 'it was too much; it was at 0x10',
      registers: registersAt(0x10),
    });
  });
});
