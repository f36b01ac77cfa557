import type { GuestDebug } from '../guests/index.ts';

/**
 * A place in the run of a guest: the same numbers are the same place in every run, since a run is deterministic. Of
 * places with equally many retired instructions, which accesses that a monitor emulates lie between, the later has the
 * higher PC.
 */
export interface Position {
  readonly retired: number;
  readonly pc: bigint;
}

/** Where a guest is now. */
export function positionOf(retired: number, debug: GuestDebug): Position {
  return { retired, pc: debug.vcpus[0]?.context.pc ?? 0n };
}

export function isBefore(one: Position, other: Position): boolean {
  return one.retired < other.retired || (one.retired === other.retired && one.pc < other.pc);
}
