import { expect, it } from 'vitest';

import type { HaltReason } from '../../../../petri/contract/index.ts';
import { machineMaps } from '../../machine/index.ts';
import { BoardGuest } from './board-guest.ts';
import type { BoardListener } from './board.ts';
import type { GuestState } from './guest-state.ts';

const MIB = 2 ** 20;
const size = { memory: 64 * MIB, vcpus: 4 };
const ENTRY = 0x4000_0000;
const DATA = 0x4100_0000;

const movz = (d: number, value: number, half = 0): number => (0xd280_0000 | (half << 21) | (value << 5) | d) >>> 0;
const movk = (d: number, value: number, half: number): number => (0xf280_0000 | (half << 21) | (value << 5) | d) >>> 0;
const mov = (d: number, m: number): number => (0xaa00_03e0 | (m << 16) | d) >>> 0;
const add = (d: number, n: number, value: number): number => (0x9100_0000 | (value << 10) | (n << 5) | d) >>> 0;
const subs = (d: number, n: number, value: number): number => (0xf100_0000 | (value << 10) | (n << 5) | d) >>> 0;
const bNe = (words: number): number => (0x5400_0001 | ((words & 0x7_ffff) << 5)) >>> 0;
const strW = (t: number, n: number, offset = 0): number => (0xb900_0000 | ((offset / 4) << 10) | (n << 5) | t) >>> 0;
/** str Xt, [Xn, X19, lsl #3] */
const strX19 = (t: number, n: number): number => (0xf833_7800 | (n << 5) | t) >>> 0;
const adr = (d: number, words: number): number => (0x1000_0000 | ((words & 0x7_ffff) << 5) | d) >>> 0;
const IC_IALLU = 0xd508_751f;
const ISB = 0xd503_3fdf;
const HVC = 0xd400_0002;
const B_SELF = 0x1400_0000;

/**
 * The first PE starts the others. Each of them counts in a register, in memory, on the console, and in an instruction
 * that it changes itself; then the first waits for input, prints it and powers off.
 */
function program(rounds: number): Uint8Array {
  // After START: X19 is the number of the PE, X1 the UART, X4 data.
  const common = [
    movz(1, 0x0900, 1),
    movz(4, DATA >>> 16, 1),
    movz(8, rounds),
    movz(7, 0),
    movz(5, 0),
    // The instruction to be changed is add x7, x7, #imm, of a copy in each PE's own page.
    movz(9, 0x4010, 1),
    (0x8b13_3129 | 0) >>> 0, // add x9, x9, x19, lsl #12
    movz(10, 0xd65f, 1),
    movk(10, 0x03c0, 0), // ret
    strW(10, 9, 4),
  ];
  const loop = [
    add(5, 5, 1),
    strX19(5, 4),
    movz(11, 0x9100, 1),
    movk(11, 0x00e7, 0), // add x7, x7, #0
    (0x0b05_296b | 0) >>> 0, // add w11, w11, w5, lsl #10
    strW(11, 9),
    IC_IALLU,
    ISB,
    (0xd63f_0000 | (9 << 5)) >>> 0, // blr x9
    movz(12, 400),
    subs(12, 12, 1),
    bNe(-1),
    add(2, 19, 0x41),
    strW(2, 1),
    subs(8, 8, 1),
  ];
  const body = [...common, ...loop, bNe(-loop.length)];
  const others = [mov(19, 0), ...body, B_SELF];
  const starts = [1, 2, 3].flatMap((index) => [
    movz(0, 3),
    movk(0, 0xc400, 1),
    movz(1, index),
    mov(2, 20),
    mov(3, 1),
    HVC,
  ]);
  const first = [
    ...starts,
    movz(19, 0),
    ...body,
    movz(2, 0x301),
    strW(2, 1, 0x30),
    0xb940_1823, // ldr w3, [x1, #0x18]
    0x3727_ffe3, // tbnz w3, #4, -4
    0xb940_0022, // ldr w2, [x1]
    strW(2, 1),
    movz(0, 8),
    movk(0, 0x8400, 1),
    HVC,
  ];
  const words = [adr(20, first.length + 1), ...first, ...others];
  return new Uint8Array(Uint32Array.from(words).buffer);
}

const map = machineMaps.virt;

interface Run {
  readonly guest: BoardGuest;
  text: string;
  halt: HaltReason | undefined;
}

function heard(make: (listener: BoardListener) => BoardGuest): Run {
  const run = { text: '', halt: undefined } as { -readonly [Key in keyof Run]: Run[Key] };
  run.guest = make({
    output: (port, bytes) => {
      if (port === 'console') run.text += Buffer.from(bytes).toString('latin1');
    },
    log: () => undefined,
  });
  return run;
}

function boot(rounds: number): Run {
  const data = program(rounds);
  const loads = [{ name: 'a program', address: ENTRY, memsize: data.length, data }];
  return heard((listener) => BoardGuest.boot(map, size, { loads, entry: ENTRY, x: [0] }, listener));
}

function resume(state: GuestState, text: string): Run {
  const run = heard((listener) => BoardGuest.resume(map, size, state, listener));
  run.text = text;
  return run;
}

function step(run: Run, budget: number): void {
  run.halt ??= run.guest.run(budget, () => false);
}

/** Runs to the end in pieces. @returns everything that can be seen */
function finish(run: Run, budget = 9973): unknown {
  while (run.halt === undefined) step(run, budget);
  return seen(run);
}

function seen({ guest, text, halt }: Run): unknown {
  const registers = [0, 1, 2, 3].map((vcpu) => guest.registers(vcpu));
  return { text, halt, registers, retired: guest.retired, work: guest.work };
}

/** Runs until the guest has listened so many times. */
function listen(run: Run, times: number, budget: number): void {
  for (let n = 0; n < times; n += 1) {
    do step(run, budget);
    while (run.halt === undefined && !run.guest.listens);
  }
}

const ROUNDS = 1500;

it('goes on exactly from a snapshot: as it would have, on another machine, and on one that ran on', () => {
  const through = boot(ROUNDS);
  listen(through, 1, 777);
  through.guest.input('console', Uint8Array.of(0x21));
  const end = finish(through);
  expect(through.halt).toEqual({ reason: 'power-off' });
  expect(through.text.match(/[A-D]/g)?.length).toBeGreaterThan(ROUNDS);
  through.guest.release();
  for (const [point, budget] of [
    [1, 777],
    [2, 50_000],
    [3, 1234],
    [4, 200_000],
  ] as const) {
    const run = boot(ROUNDS);
    listen(run, 1, budget);
    run.guest.input('console', Uint8Array.of(0x21));
    listen(run, point - 1, budget);
    expect(run.halt).toBe(undefined);
    const state = run.guest.save();
    const { text } = run;
    const kept = JSON.stringify(state.machine, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(finish(run, budget)).toEqual(end);
    // While the first has its machine, another is needed.
    const other = resume(state, text);
    const third = resume(state, text);
    // Neither sees what the other does.
    listen(other, 1, 4321);
    expect(finish(third, 31_337)).toEqual(end);
    expect(finish(other)).toEqual(end);
    for (const { guest } of [run, other, third]) guest.release();
    // On a machine that was used since.
    const again = resume(state, text);
    expect(finish(again)).toEqual(end);
    again.guest.release();
    expect(
      JSON.stringify(state.machine, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).toBe(kept);
  }
});

it('saves what changed since another snapshot, and goes back and forth between both', () => {
  const run = boot(ROUNDS);
  listen(run, 1, 5000);
  run.guest.input('console', Uint8Array.of(0x21));
  const early = { state: run.guest.save(), text: run.text };
  listen(run, 2, 5000);
  const late = { state: run.guest.save(), text: run.text };
  const end = finish(run);
  run.guest.release();
  const count = (from: typeof early): number => {
    const there = resume(from.state, from.text);
    expect(finish(there)).toEqual(end);
    there.guest.release();
    return from.state.memory.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  };
  const [first, second] = [early, late, early, late].map(count);
  // Counters and changed code: a few pages of each.
  expect(first).toBeLessThan(16 * 4096);
  expect(second).toBeLessThan(24 * 4096);
});

it('keeps a hundred runs of one snapshot equal, and puts back only the pages that they used', () => {
  const run = boot(50);
  listen(run, 1, 5000);
  const state = run.guest.save();
  const { text } = run;
  run.guest.input('console', Uint8Array.of(0x21));
  const end = finish(run);
  const { retired } = run.guest;
  run.guest.release();
  for (let n = 0; n < 100; n += 1) {
    const fork = resume(state, text);
    fork.guest.input('console', Uint8Array.of(0x21));
    expect(finish(fork, 1000 + n)).toEqual(end);
    expect(fork.guest.retired).toBe(retired);
    fork.guest.release();
  }
});
