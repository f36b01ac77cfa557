import { describe, expect, it } from 'vitest';

import { DEFAULT_MAX_INSTRUCTIONS, type HaltReason } from '../../../petri/contract/index.ts';
import type { Guest } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';
import { SliceScheduler } from './slice-scheduler.ts';

/** A guest with a fake clock: `cost` is the time of an instruction in milliseconds. */
class FakeGuest implements Guest {
  retired = 0;
  clock = 0;
  longestCall = 0;
  surcharge = 0;
  readonly events = [];
  readonly planes = [];
  readonly budgets: number[] = [];
  cost: (retired: number) => number;
  halt: HaltReason | undefined;
  haltAt = Infinity;

  constructor(cost: number | ((retired: number) => number)) {
    this.cost = typeof cost === 'number' ? () => cost : cost;
  }

  get work(): number {
    return this.retired + this.surcharge;
  }

  boot(): void {}
  release(): void {}
  registers(): { x: bigint[]; sp: bigint; pc: bigint; pstate: bigint } {
    return { x: [], sp: 0n, pc: 0x1010n, pstate: 0n };
  }

  expired(reason: 'budget' | 'timeout', why: string): HaltReason {
    return { reason, message: `${why}, here`, registers: this.registers() };
  }

  run(budget: number): HaltReason | undefined {
    this.budgets.push(budget);
    const ran = Math.min(budget, this.haltAt - this.retired);
    const took = ran * this.cost(this.retired);
    this.retired += ran;
    this.clock += took;
    this.longestCall = Math.max(this.longestCall, took);
    return this.retired >= this.haltAt ? this.halt : undefined;
  }
}

function loopOf(guest: FakeGuest, maxInstructions = 10_000_000, scheduler = new SliceScheduler()): RunLoop {
  return new RunLoop({ guest, maxInstructions, scheduler, now: () => guest.clock });
}

describe('RunLoop', () => {
  it.each([
    ['fast', 1e-6],
    ['slow', 1e-4],
    ['very slow', 4e-3],
  ])('keeps calls into a %s guest short after measuring it', async (_, cost) => {
    const guest = new FakeGuest(cost);
    const loop = loopOf(guest, Math.ceil(1000 / cost));
    guest.haltAt = Math.floor(900 / cost);
    guest.halt = { reason: 'power-off' };
    loop.start();
    expect(await loop.halted).toEqual({ reason: 'power-off' });
    const settled = guest.budgets.slice(20);
    expect(Math.max(...settled) * cost).toBeLessThan(5);
  });

  it('does not let a guest that becomes slow block the event loop for 5 ms', async () => {
    const guest = new FakeGuest((retired) => (retired < 5_000_000 ? 1e-6 : 2e-5));
    const loop = loopOf(guest);
    loop.start();
    await loop.halted;
    expect(guest.longestCall).toBeLessThan(5);
  });

  it('returns to long calls after a stall that the guest did not cause', async () => {
    const guest = new FakeGuest((retired) => (retired < 10_000 ? 5e-3 : 1e-6));
    const loop = loopOf(guest);
    loop.start();
    await loop.halted;
    expect(Math.min(...guest.budgets)).toBeLessThan(2000);
    expect(Math.max(...guest.budgets.slice(-20, -1))).toBeGreaterThan(100_000);
  });

  it('yields to the event loop between slices', async () => {
    const guest = new FakeGuest(1e-5);
    const loop = loopOf(guest, 4_000_000);
    const atTurn: number[] = [];
    const watch = (): void => {
      atTurn.push(guest.clock);
      if (!loop.ended) setImmediate(watch);
    };
    setImmediate(watch);
    loop.start();
    await loop.halted;
    const gaps = atTurn.slice(1).map((at, n) => at - (atTurn[n] ?? 0));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.max(...gaps)).toBeLessThan(5);
  });

  it('runs exactly up to the budget and reports the PC', async () => {
    const guest = new FakeGuest(1e-5);
    const loop = loopOf(guest, 123_457);
    loop.start();
    expect(await loop.halted).toEqual({
      reason: 'budget',
      message: 'the guest used up its budget of 123457 instructions, here',
      registers: guest.registers(),
    });
    expect(guest.retired).toBe(123_457);
  });

  it('counts the cost of exits and exceptions against the budget', async () => {
    const end = async (): Promise<unknown> => {
      const guest = new FakeGuest(1e-5);
      const { run } = guest;
      guest.run = (budget) => {
        guest.surcharge += 1024 * 1000;
        return run.call(guest, Math.min(budget, 1000));
      };
      const loop = loopOf(guest, DEFAULT_MAX_INSTRUCTIONS);
      loop.start();
      return [await loop.halted, guest.retired];
    };
    const [halt, retired] = (await end()) as [HaltReason, number];
    expect(halt).toMatchObject({
      reason: 'budget',
      message: expect.stringMatching(/budget of 1000000000 instructions: it retired \d+, and its exits/) as string,
    });
    expect(retired).toBe(1000 * Math.ceil(DEFAULT_MAX_INSTRUCTIONS / (1025 * 1000)));
    expect(await end()).toEqual([halt, retired]);
  });

  it('stops where a timer of the guest is due, and calls it there', async () => {
    const guest = new FakeGuest(1e-5);
    const timers = new GuestTimers(() => guest.work);
    const at: number[] = [];
    const timer = timers.start(1.25, () => {
      at.push(guest.retired);
      if (at.length === 1) timer.refresh();
    });
    const loop = new RunLoop({
      guest,
      maxInstructions: 500_000,
      scheduler: new SliceScheduler(),
      now: () => guest.clock,
      timers,
    });
    loop.start();
    expect(await loop.halted).toMatchObject({ reason: 'budget' });
    expect(at).toEqual([125_000, 250_000]);
  });

  it('ends on request, once, without another instruction', async () => {
    const guest = new FakeGuest(1e-5);
    const loop = loopOf(guest);
    loop.start();
    loop.endAt('timeout', 'the deadline passed');
    loop.end({ reason: 'stopped' });
    expect(await loop.halted).toMatchObject({
      reason: 'timeout',
      message: 'the deadline passed, here',
    });
    expect(guest.retired).toBe(0);
  });

  it('turns a failure of the simulator into backend-lost', async () => {
    const guest = new FakeGuest(1e-5);
    guest.run = () => {
      throw new RangeError('offset is out of bounds');
    };
    const loop = loopOf(guest);
    loop.start();
    expect(await loop.halted).toMatchObject({ reason: 'backend-lost' });
  });
});

describe('SliceScheduler', () => {
  it('runs one slice in each turn of the event loop, alternating', async () => {
    const scheduler = new SliceScheduler();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      let a = 3;
      let b = 2;
      scheduler.add(() => (order.push('a'), --a > 0));
      scheduler.add(() => (order.push('b'), --b > 0));
      const tick = (): void => {
        order.push('.');
        if (a === 0 && b === 0) resolve();
        else setImmediate(tick);
      };
      setImmediate(tick);
    });
    expect(order.join('')).toBe('a.b.a.b.a.');
  });
});
