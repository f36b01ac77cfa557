import type { HaltReason } from '../../../petri/contract/index.ts';
import type { DebugControl, DebugStop } from '../cpu/index.ts';
import type { Guest, GuestDebug } from '../guests/index.ts';
import { isBefore, positionOf, type Position } from './position.ts';

/**
 * Instructions before a place from which a guest runs step by step. A run that is to end somewhere ends at a branch or
 * a crossing of pages after it, so at most a page later.
 */
const MARGIN = 4096;
/** Instructions of one call into the guest. */
const CHUNK = 200_000;

/** A guest in one of its lives. */
export interface Life {
  readonly guest: Guest;
  readonly debug: GuestDebug;
  readonly control: DebugControl;
}

/** Begins another life of the guest. */
export interface Checkpoints {
  /**
   * A life that is at a place before the given one, or at the start. Today that is always the start; a snapshot nearer
   * to the place can be taken up here.
   */
  before(position: Position): Life;
}

/** Something that takes many calls into a guest: each `yield` is a moment at which others may have their turn. */
export type Travel = Generator<void, Life, void>;

/** Stops that are looked for. */
export interface Points {
  /** Sets them. */
  apply(control: DebugControl): void;
  readonly breakpoints: ReadonlySet<number>;
}

/** Runs a life until it stands before an instruction. @returns how it halted, if it did */
function* untilStanding(life: Life): Generator<void, HaltReason | undefined, void> {
  while (!stands(life)) {
    const halt = life.guest.run(CHUNK, () => false);
    if (halt !== undefined) return halt;
    if (!stands(life)) yield;
  }
  return undefined;
}

function stands({ control }: Life): boolean {
  return control.standing;
}

function here({ guest, debug }: Life): Position {
  return positionOf(guest.retired, debug);
}

/** Has a life stand before the next instruction. */
function* hold(life: Life): Generator<void, HaltReason | undefined, void> {
  life.control.hold();
  return yield* untilStanding(life);
}

/** Runs a life to its first stop, or to somewhere a little before a number of retired instructions. */
function* runTowards(life: Life, retired: number): Generator<void, HaltReason | undefined, void> {
  const { guest, control } = life;
  control.resume();
  for (;;) {
    const left = retired - MARGIN - guest.retired;
    if (left <= 0) return yield* hold(life);
    const halt = guest.run(Math.min(CHUNK, left), () => false);
    if (halt !== undefined) return halt;
    if (control.standing) return undefined;
    yield;
  }
}

function* step(life: Life): Generator<void, HaltReason | undefined, void> {
  life.control.resume(1);
  return yield* untilStanding(life);
}

/** A new life at a place, as far as it gets. */
export function* goTo(checkpoints: Checkpoints, target: Position): Travel {
  const life = checkpoints.before(target);
  if ((yield* hold(life)) !== undefined) return life;
  if (here(life).retired < target.retired - MARGIN && (yield* runTowards(life, target.retired)) !== undefined)
    return life;
  while (isBefore(here(life), target)) {
    if ((yield* step(life)) !== undefined) break;
    yield;
  }
  return life;
}

/** Where a search backwards ended. */
export interface Found {
  readonly position: Position;
  /** The stop there; undefined at the start of history. */
  readonly stop: DebugStop | undefined;
}

/**
 * The last place before a given one.
 *
 * @param points what a place must have: a breakpoint, or an access that is watched. Without them any place will do.
 */
export function* findBefore(
  checkpoints: Checkpoints,
  limit: Position,
  points: Points | undefined,
): Generator<void, Found, void> {
  const life = checkpoints.before(limit);
  let found: Found | undefined;
  let start: Position | undefined;
  let halt = yield* hold(life);
  if (points !== undefined) points.apply(life.control);
  while (halt === undefined) {
    const position = here(life);
    start ??= position;
    if (!isBefore(position, limit)) break;
    const { stop } = life.control;
    const pc = Number(BigInt.asIntN(64, position.pc));
    const hit: DebugStop | undefined =
      points === undefined || stop?.kind === 'watchpoint' || stop?.kind === 'breakpoint'
        ? stop
        : points.breakpoints.has(pc)
          ? { kind: 'breakpoint', vcpu: stop?.vcpu ?? 0 }
          : undefined;
    if (hit !== undefined) found = { position, stop: hit };
    const far = position.retired < limit.retired - MARGIN;
    halt = far ? yield* runTowards(life, limit.retired) : yield* step(life);
    yield;
  }
  return found ?? { position: start ?? limit, stop: undefined };
}
