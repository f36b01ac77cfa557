import { isGuestMode } from '../monitor/index.ts';
import type { Registers } from '../../contract/index.ts';
import type { QmpClient } from './qmp.ts';

/** State of an AArch64 PE in `info registers` of QEMU's human monitor. */
export type ProcessorState = Registers;

/** Milliseconds until a PE that was running the monitor is stopped again. */
const AGAIN = 2;
const MAX_LOOKS = 50;

/**
 * Stops the machine while its guest runs. If the monitor is running instead, the machine is resumed briefly and stopped
 * again.
 *
 * @returns the guest's state; undefined if the guest was not running at any attempt
 * @throws PetriError what QMP throws
 */
export async function stopAndLook(qmp: QmpClient, until: number): Promise<ProcessorState | undefined> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    await qmp.execute('stop');
    const state = parseRegisters(await qmp.human('info registers'));
    if (state === undefined || isGuestMode(state)) return state;
    if (performance.now() > until) return undefined;
    await qmp.execute('cont');
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
  return undefined;
}

/** Parses `info registers` of QEMU 7 to 11. @returns undefined for another format */
export function parseRegisters(text: string): ProcessorState | undefined {
  const values = new Map<string, bigint>();
  for (const [, name, value] of text.matchAll(/\b(PC|SP|X\d\d)=([0-9a-f]{16})\b/g)) {
    if (name !== undefined && value !== undefined) values.set(name, BigInt(`0x${value}`));
  }
  const pstate = /\bPSTATE=([0-9a-f]{8})\b/.exec(text)?.[1];
  const pc = values.get('PC');
  const sp = values.get('SP');
  const x = Array.from({ length: 31 }, (_, n) => values.get(`X${String(n).padStart(2, '0')}`));
  if (pc === undefined || sp === undefined || pstate === undefined) return undefined;
  const known = x.filter((value) => value !== undefined);
  return known.length === x.length ? { x: known, sp, pc, pstate: BigInt(`0x${pstate}`) } : undefined;
}
