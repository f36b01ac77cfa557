import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { leavePlace, type Queue, takePlace } from './slots.ts';
import { usePrivateState } from './testing.ts';
import type { SlotWait } from './types.ts';

const home = usePrivateState();
let pools = 0;

/** A pool in which the owners of the tickets in `dead` have died. */
function pool(capacity: number, dead = new Set<string>()): Queue {
  const name = `pool-${pools++}`;
  const folder = join(home.folder, name);
  return { folder, pool: name, capacity, isLive: (ticket) => !dead.has(ticket), sweep: async () => {} };
}

function take(queue: Queue, ticket: string, wait: SlotWait = {}): Promise<number> {
  return takePlace(queue, ticket, `/runs/${ticket}`, wait);
}

/** Waits for a place; `told` resolves with the first reason for waiting. */
function waiting(queue: Queue, ticket: string): { told: Promise<string>; place: Promise<number> } {
  let tell: (why: string) => void = () => {};
  const told = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return { told, place: take(queue, ticket, { onWait: tell }) };
}

describe('slots', () => {
  it('are as many as the capacity, each with its own index', async () => {
    const queue = pool(3);
    expect(await Promise.all(['a', 'b', 'c'].map((ticket) => take(queue, ticket)))).toEqual([0, 1, 2]);
    leavePlace(queue.folder, 'b');
    expect(await take(queue, 'd')).toBe(1);
  });

  it('are granted in the order of arrival', async () => {
    const queue = pool(1);
    await take(queue, 'a');
    const order: string[] = [];
    const others: Promise<void>[] = [];
    for (const ticket of ['d', 'c', 'b']) {
      const one = waiting(queue, ticket);
      await one.told;
      const use = async (): Promise<void> => {
        expect(await one.place).toBe(0);
        order.push(ticket);
        leavePlace(queue.folder, ticket);
      };
      others.push(use());
    }
    expect(order).toEqual([]);
    leavePlace(queue.folder, 'a');
    await Promise.all(others);
    expect(order).toEqual(['d', 'c', 'b']);
    expect(readdirSync(queue.folder)).toEqual([]);
  });

  it('report the reason for waiting', async () => {
    const queue = pool(1);
    await take(queue, 'a');
    const second = waiting(queue, 'b');
    expect(await second.told).toBe(`1 of 1 in use by pid ${process.pid} (/runs/a) for less than a minute`);
    const third = waiting(queue, 'c');
    expect(await third.told).toContain(', 1 more before this one');
    leavePlace(queue.folder, 'a');
    await second.place;
    leavePlace(queue.folder, 'b');
    await third.place;
  });

  it('are not held by dead owners, whatever they left', async () => {
    const dead = new Set<string>();
    const queue = pool(1, dead);
    await take(queue, 'a');
    const next = waiting(queue, 'b');
    await next.told;
    // As if killed while drawing a number.
    writeFileSync(join(queue.folder, 'x.choosing'), '');
    dead.add('a').add('x');
    expect(await next.place).toBe(0);
    expect(readdirSync(queue.folder).sort()).toEqual(['2.b.ticket', 'b.index.0']);
  });

  it('are freed by a sweep if the death of a holder was not noticed', async () => {
    const dead = new Set<string>();
    const queue = { ...pool(1, dead), sweep: async () => void dead.add('a') };
    await take(queue, 'a');
    expect(await take(queue, 'b')).toBe(0);
  });

  it('are not waited for any longer when the signal aborts', async () => {
    const queue = pool(1);
    await take(queue, 'a');
    const abort = new AbortController();
    const place = take(queue, 'b', { signal: abort.signal, onWait: () => abort.abort() });
    await expect(place).rejects.toMatchObject({ code: 'interrupted' });
    expect(readdirSync(queue.folder).some((name) => name.includes('b.'))).toBe(false);
    await expect(take(queue, 'c', { signal: abort.signal })).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('are not affected by foreign files', async () => {
    const queue = pool(1);
    mkdirSync(queue.folder);
    for (const name of ['1.ticket', '99999999999999999999.x.ticket', 'README', '..ticket']) {
      writeFileSync(join(queue.folder, name), '{');
    }
    expect(await take(queue, 'a')).toBe(0);
  });

  it('never have more holders than places, across processes', async () => {
    const folder = join(home.folder, 'contended');
    mkdirSync(folder);
    const script = fileURLToPath(new URL('fixtures/contender.mjs', import.meta.url));
    const contenders = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
      return text(child.stdout);
    });
    // Each counts the holders, including itself, in each of ten turns.
    const seen = (await Promise.all(contenders)).flatMap((output) => output.trim().split('\n').map(Number));
    expect(seen).toHaveLength(40);
    expect(Math.max(...seen)).toBeLessThanOrEqual(2);
  });
});
