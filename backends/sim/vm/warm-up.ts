import type { LoadablePayload } from '../../../petri/tmk/index.ts';
import { resolveVmConfig } from '../../../petri/vm/index.ts';
import { realmKind } from '../guests/index.ts';

/** Addresses of the program's command block and text: a page of their own, since stores to a page of code are slow. */
const BLOCK = 0x1000;
const TEXT = 0x1100;
const MESSAGE = 'warm';

/** Logs a line and completes: the shortest TMK. */
const program = [
  0x1000_8001, // adr x1, BLOCK
  0x1000_87e3, // adr x3, TEXT
  0xf900_0423, // str x3, [x1, #8]
  0xd280_0084, // mov x4, #4
  0xf900_0824, // str x4, [x1, #16]
  0xd2bf_ffe2, // mov x2, #0xffff0000
  0xf900_0041, // str x1, [x2]
  0xd280_0044, // mov x4, #2
  0xf2c0_0024, // movk x4, #1, lsl #32
  0xf900_0024, // str x4, [x1]
  0xf900_0041, // str x1, [x2]
  0x1400_0000, // b .
];

function payload(): LoadablePayload {
  const data = new Uint8Array(TEXT + MESSAGE.length);
  new Uint32Array(data.buffer, 0, program.length).set(program);
  data.set(new TextEncoder().encode(MESSAGE), TEXT);
  return {
    name: 'warm-up',
    image: {
      tests: [{ index: 0, name: 'warm_up', expectedFailure: false, linuxOnly: false }],
      segments: [{ vaddr: 0, memsize: data.length, data, flags: 7 }],
      entry: 0,
      span: { start: 0, end: 2 * BLOCK },
      symbolAt: () => undefined,
    },
  };
}

/**
 * Boots a realm of default size with a program of a dozen instructions and leaves its machine to the next VM, so that
 * the first test of a process does not pay for compiling the engine and its callers.
 *
 * @returns the guest's log, for a test
 */
export async function bootOnce(): Promise<string> {
  const logged: Uint8Array[] = [];
  const guests = await realmKind.load();
  const guest = guests.make(payload(), resolveVmConfig({}), {
    print: (bytes) => logged.push(bytes.slice()),
    log: () => undefined,
  });
  guest.boot(0);
  const BUDGET = 1000;
  while (guest.retired < BUDGET && guest.run(BUDGET, () => false) === undefined);
  guest.release();
  return Buffer.concat(logged).toString();
}

/** Boots until the first VM of a test is hardly slower than the hundredth; each takes a millisecond or two. */
const BOOTS = 24;

/** Prepares the process for its first VM: compiles the engine and its callers. */
export async function warmUp(): Promise<void> {
  for (let boot = 0; boot < BOOTS; boot += 1) await bootOnce();
}
