import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { makePrivateFolder } from './state-directory.ts';
import type { SlotWait } from './types.ts';

/*
 * Lamport's bakery ("A New Solution of Dijkstra's Concurrent Programming Problem", 1974), on files: a newcomer draws a
 * number greater than all others, and marks that it is drawing. It has a place when fewer than `capacity` live tickets
 * precede its own. No lock is needed, and none can be left behind: each file belongs to one ticket, and any process
 * that finds its ledger missing removes it. An index is taken by the first ticket without one, and by no other.
 */

/** One that waits for a place or has it. Its files are `ID.choosing`, `NUMBER.ID.ticket` and `ID.index.INDEX`. */
interface Ticket {
  readonly id: string;
  readonly number: number;
  readonly index: number | undefined;
}

export interface Queue {
  /** Folder of the pool. */
  readonly folder: string;
  readonly pool: string;
  readonly capacity: number;
  /** Whether the ticket's ledger still exists; as long as it does, the place may be in use. */
  isLive(ticket: string): boolean;
  /** Ends what dead owners left. */
  sweep(): Promise<unknown>;
}

const pollMs = 100;
const sweepMs = 1000;
const repeatMs = 60_000;

/**
 * Waits for a place.
 *
 * @param who the run, for the messages of others
 * @returns its index
 * @throws PetriError `interrupted`, after removing the ticket
 */
export async function takePlace(queue: Queue, id: string, who: string, wait: SlotWait): Promise<number> {
  makePrivateFolder(queue.folder);
  try {
    const number = drawNumber(queue, id, who);
    return await untilFree(queue, { id, number, index: undefined }, wait);
  } catch (error) {
    leavePlace(queue.folder, id);
    throw error;
  }
}

/** Gives back a place, or a turn. */
export function leavePlace(folder: string, id: string): void {
  const names = filesOf(folder).filter((name) => ticketOf(name) === id);
  // The ticket last: it protects the index.
  for (const name of names.sort((a, b) => Number(a.endsWith('.ticket')) - Number(b.endsWith('.ticket')))) {
    rmSync(join(folder, name), { force: true });
  }
}

function drawNumber({ folder }: Queue, id: string, who: string): number {
  const choosing = join(folder, `${id}.choosing`);
  writeFileSync(choosing, '', { mode: 0o600 });
  const number = 1 + Math.max(0, ...tickets(folder).map((ticket) => ticket.number));
  const description = { who, pid: process.pid, since: Date.now() };
  writeFileSync(join(folder, `${number}.${id}.ticket`), JSON.stringify(description), { mode: 0o600 });
  rmSync(choosing);
  return number;
}

async function untilFree(queue: Queue, mine: Ticket, { signal, onWait }: SlotWait): Promise<number> {
  let told: { why: string; at: number } | undefined;
  let swept = performance.now();
  for (;;) {
    throwIfAborted(queue, signal);
    const before = othersBefore(queue, mine);
    if (before !== undefined && before.length < queue.capacity && before.every(({ index }) => index !== undefined)) {
      return drawIndex(queue, mine, before);
    }
    const now = performance.now();
    if (before !== undefined && before.length >= queue.capacity) {
      const why = reason(queue, before);
      if (told?.why !== why || now - told.at >= repeatMs) {
        told = { why, at: now };
        onWait?.(`${why}${durations(queue, before)}`);
      }
    }
    if (now - swept >= sweepMs) {
      await queue.sweep();
      swept = performance.now();
    }
    // Aborting ends the pause; the start of the loop throws.
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/**
 * Undefined while another process draws a number that may be smaller. The order of the two reads matters: see Lamport.
 */
function othersBefore(queue: Queue, mine: Ticket): Ticket[] | undefined {
  for (const name of filesOf(queue.folder)) {
    const id = ticketOf(name);
    if (id === undefined || id === mine.id) continue;
    if (!queue.isLive(id)) leavePlace(queue.folder, id);
    else if (name.endsWith('.choosing')) return undefined;
  }
  const all = tickets(queue.folder).filter(({ id }) => id !== mine.id);
  return all
    .filter(({ id, number }) => number < mine.number || (number === mine.number && id < mine.id))
    .sort((a, b) => a.number - b.number);
}

function drawIndex(queue: Queue, mine: Ticket, before: readonly Ticket[]): number {
  const taken = new Set(before.map(({ index }) => index));
  let index = 0;
  while (taken.has(index)) index++;
  writeFileSync(join(queue.folder, `${mine.id}.index.${index}`), '', { mode: 0o600 });
  return index;
}

function tickets(folder: string): Ticket[] {
  const names = filesOf(folder);
  const indices = new Map<string, number>();
  for (const name of names) {
    const [, id, index] = /^([\w-]+)\.index\.(\d{1,6})$/.exec(name) ?? [];
    if (id !== undefined) indices.set(id, Number(index));
  }
  return names.flatMap((name) => {
    const [, number, id] = /^(\d{1,15})\.([\w-]+)\.ticket$/.exec(name) ?? [];
    return id === undefined ? [] : [{ id, number: Number(number), index: indices.get(id) }];
  });
}

function ticketOf(name: string): string | undefined {
  return /^(?:([\w-]+)\.(?:choosing|index\.\d+)|\d+\.([\w-]+)\.ticket)$/.exec(name)?.slice(1).find(Boolean);
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function throwIfAborted({ pool }: Queue, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof PetriError) throw signal.reason;
  throw new PetriError(`waiting for a place of '${pool}' was aborted`, {
    code: 'interrupted',
    step: 'launch',
    cause: signal.reason,
  });
}

const description = z.object({ who: z.string().max(4096), pid: z.number().int(), since: z.number() });

function reason({ folder, capacity }: Queue, before: readonly Ticket[]): string {
  const holders = before.slice(0, capacity).map((ticket) => {
    const found = describeTicket(folder, ticket);
    return found === undefined ? 'somebody' : `pid ${found.pid} (${printable(found.who)})`;
  });
  const queued = before.length - holders.length;
  const others = queued === 0 ? '' : `, ${queued} more before this one`;
  return `${holders.length} of ${capacity} in use by ${holders.join(', ')}${others}`;
}

function durations({ folder, capacity }: Queue, before: readonly Ticket[]): string {
  const since = before.slice(0, capacity).flatMap((ticket) => describeTicket(folder, ticket)?.since ?? []);
  if (since.length === 0) return '';
  const minutes = Math.max(0, Math.floor((Date.now() - Math.min(...since)) / 60_000));
  return minutes === 0 ? ' for less than a minute' : ` for ${minutes} min`;
}

function describeTicket(folder: string, { id, number }: Ticket): z.infer<typeof description> | undefined {
  try {
    const text = readFileSync(join(folder, `${number}.${id}.ticket`), 'utf8');
    return description.safeParse(JSON.parse(text)).data;
  } catch {
    // Removed, or not written yet; it is only for a message.
    return undefined;
  }
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
