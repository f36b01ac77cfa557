import { describe, expect, it } from 'vitest';

import { tmk } from '../../../petri/payload/index.ts';
import { resolveVmConfig } from '../../../petri/vm/index.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import { type Guest, tmkKind } from '../guests/index.ts';
import { DebuggedGuest, type Onward, type Stand } from './debugged-guest.ts';

const config = resolveVmConfig({ memory: '64M' });
const types = ['none', 'cca'] as const;

/** A guest, and what it says. */
async function make(
  isolation: (typeof types)[number],
  name: string,
  test: number,
): Promise<{ guest: DebuggedGuest; alone: () => Guest; said: string[] }> {
  const factory = await tmkKind(isolation).load();
  const payload = tmk(name);
  const said: string[] = [];
  const listener: TmkListener = { print: (bytes) => said.push(Buffer.from(bytes).toString()), log: () => undefined };
  const makeGuest = (heard: TmkListener): Guest => factory.make(payload, config, heard);
  const guest = new DebuggedGuest(makeGuest, listener);
  guest.boot(test);
  const alone = (): Guest => {
    const one = makeGuest(listener);
    one.boot(test);
    return one;
  };
  return { guest, alone, said };
}

/** Lets it run until it stands or halts. @returns where it stands, or how it halted */
function until(guest: DebuggedGuest, onward?: Onward): unknown {
  if (onward === undefined) guest.hold();
  else guest.go(onward);
  for (;;) {
    const halt = guest.run(50_000, () => false);
    if (halt !== undefined) return halt;
    if (guest.standing) return guest.stand?.kind;
  }
}

function look(guest: DebuggedGuest): string {
  const { retired, pc } = guest.position;
  return [retired, pc, ...guest.registers().x].join();
}

function outcome(guest: Guest): unknown {
  let halt = guest.run(100_000, () => false);
  while (halt === undefined) halt = guest.run(100_000, () => false);
  const { retired, work } = guest;
  guest.release();
  return { halt, retired, work };
}

describe.each(types)('a debugged guest of isolation type %s', (isolation) => {
  it.each([
    ['exceptions', 0],
    ['mmio', 0],
    ...(isolation === 'none'
      ? ([
          ['interrupts', 0],
          ['interrupts', 1],
        ] as const)
      : []),
  ] as const)('is not changed by stops and steps: %s %d', async (name, test) => {
    const { guest, alone } = await make(isolation, name, test);
    const expected = outcome(alone());
    let steps = 0;
    let halt = until(guest);
    while (typeof halt !== 'object') {
      // Some hundred single steps, then a longer way in free run, which ends somewhere.
      steps += 1;
      if (steps % 300 !== 0) {
        halt = until(guest, 'step');
        continue;
      }
      guest.go('continue');
      halt = guest.run(5000, () => false) ?? until(guest);
    }
    const { retired, work } = guest;
    guest.release();
    expect({ halt, retired, work }).toEqual(expected);
  });

  it('goes back step by step over the states that it came through, and says nothing twice', async () => {
    const { guest, said } = await make(isolation, 'hello', 0);
    until(guest);
    const forward = [look(guest)];
    const STEPS = 25;
    // The first line is logged some thousand instructions from the start.
    while (said.length === 0) until(guest, 'step');
    forward.length = 0;
    for (let step = 0; step < STEPS; step += 1) {
      if (look(guest) !== forward.at(-1)) forward.push(look(guest));
      until(guest, 'step');
    }
    const backward: string[] = [];
    while (backward.length < forward.length) {
      expect(until(guest, 'reverse-step')).toBe('step');
      backward.unshift(look(guest));
    }
    expect(backward).toEqual(forward);
    const before = said.join('');
    expect(until(guest, 'continue')).toMatchObject({ reason: 'complete', success: true });
    guest.release();
    expect(said.join('').startsWith(before)).toBe(true);
    expect(said.join('').match(/hello world/g)).toHaveLength(1);
  });

  it('goes back to the last breakpoint or watched access, and to the start where there is none', async () => {
    const { guest } = await make(isolation, 'hello', 0);
    until(guest);
    const start = look(guest);
    const places: [number, string][] = [];
    for (let step = 0; step < 400; step += 1) {
      places.push([Number(guest.position.pc), look(guest)]);
      until(guest, 'step');
    }
    const [pc = 0] = places[300] ?? [];
    const last = places.findLast(([at]) => at === pc)?.[1];
    guest.setBreakpoint(pc, 1);
    expect(until(guest, 'reverse-continue')).toBe('breakpoint');
    expect(look(guest)).toBe(last);
    guest.setBreakpoint(pc, -1);
    expect(until(guest, 'reverse-continue')).toBe('begin');
    expect(look(guest)).toBe(start);
    expect(until(guest, 'reverse-step')).toBe('begin');
    expect(look(guest)).toBe(start);
    guest.addWatchpoint({ address: guest.debug.loadOffset, bytes: 2 ** 20, access: 2 });
    expect(until(guest, 'continue')).toBe('watchpoint');
    const first = look(guest);
    expect(until(guest, 'continue')).toBe('watchpoint');
    expect(look(guest)).not.toBe(first);
    expect(until(guest, 'reverse-continue')).toBe('watchpoint');
    expect(look(guest)).toBe(first);
    guest.release();
  });

  it('is interrupted while it runs, and on its way back, and goes on from there', async () => {
    const { guest, said } = await make(isolation, 'hello', 0);
    until(guest);
    guest.go('continue');
    expect(guest.run(1000, () => true)).toBe(undefined);
    guest.interrupt();
    guest.run(1000, () => true);
    expect(guest.stand?.kind).toBe('interrupt');
    guest.go('reverse-step');
    guest.run(1000, () => true);
    guest.interrupt();
    while (!guest.standing) guest.run(1000, () => true);
    expect(guest.stand?.kind).toBe('interrupt');
    // A debugger that leaves in the middle of it leaves a guest that runs.
    guest.go('reverse-continue');
    guest.run(1000, () => true);
    guest.detach();
    let halt = guest.run(50_000, () => false);
    while (halt === undefined) {
      if (guest.stand !== undefined) guest.go('continue');
      halt = guest.run(50_000, () => false);
    }
    expect(halt).toMatchObject({ reason: 'complete', success: true });
    expect(said.join('').match(/hello world/g)).toHaveLength(1);
    guest.release();
  });

  it('stands where it failed, and can go back from there', async () => {
    const { guest } = await make(isolation, 'panic', 0);
    const stands: Stand[] = [];
    guest.observer = { stands: (stand) => stands.push(stand) };
    until(guest);
    expect(until(guest, 'continue')).toBe('failure');
    const { retired } = guest;
    expect(until(guest, 'reverse-step')).toBe('step');
    expect(guest.retired).toBeLessThanOrEqual(retired);
    expect(until(guest, 'continue')).toBe('failure');
    expect(guest.retired).toBe(retired);
    expect(until(guest, 'continue')).toMatchObject({ reason: 'panic' });
    expect(stands.map(({ kind }) => kind)).toEqual(['step', 'failure', 'step', 'failure']);
    guest.release();
  });
});
