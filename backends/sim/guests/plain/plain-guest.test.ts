import { describe, expect, it } from 'vitest';

import { tmk } from '../../../../petri/payload/index.ts';
import type { TmkPayload, HaltReason } from '../../../../petri/contract/index.ts';
import { PlainGuest } from './plain-guest.ts';

const MIB = 1024 * 1024;

interface Run {
  readonly guest: PlainGuest;
  readonly halt: HaltReason | undefined;
  readonly printed: string;
  readonly logged: readonly string[];
}

function runTest(payload: TmkPayload, testIndex: number, budget = 10_000_000): Run {
  let printed = '';
  const logged: string[] = [];
  const guest = new PlainGuest(payload, 4 * MIB, {
    print: (bytes) => void (printed += Buffer.from(bytes).toString()),
    log: (message) => logged.push(message),
  });
  guest.boot(testIndex);
  let halt: HaltReason | undefined;
  while (halt === undefined && guest.retired < budget) halt = guest.run(budget - guest.retired, () => false);
  guest.release();
  return { guest, halt, printed, logged };
}

describe('PlainGuest', () => {
  it('runs a TMK from its first instruction to its verdict', () => {
    const { halt, printed } = runTest(tmk('hello'), 0);
    expect(printed).toContain('hello world');
    expect(halt).toEqual({ reason: 'complete', success: true });
  });

  it('halts a guest without vectors at the vector address, and reports which exception led there', () => {
    const hello = tmk('hello');
    const udf = {
      ...hello.image,
      entry: 0x1000,
      segments: [{ vaddr: 0x1000, data: new Uint8Array(4), memsize: 4, flags: 5 }],
    };
    const guest = new PlainGuest({ ...hello, image: udf }, 4 * MIB, { print: () => undefined, log: () => undefined });
    guest.boot(0);
    const note = (): unknown => guest.expired('timeout', 'late');
    expect(note()).toMatchObject({ message: expect.stringMatching(/^late; it was at 0x201000[^;]*$/) as string });
    expect(guest.run(1000, () => false)).toMatchObject({
      reason: 'fault',
      message: expect.stringMatching(
        /fetch at address 0x200.*it is the vector of an exception that the guest took: undefined instruction at 0x201000/,
      ) as string,
    });
    expect(note()).toMatchObject({
      message: expect.stringMatching(/^late; it was at 0x200; it is the vector/) as string,
    });
    guest.release();
    expect(note()).toMatchObject({ message: 'late; it was at 0x200' });
  });
});
