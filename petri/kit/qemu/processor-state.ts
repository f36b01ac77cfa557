import { isGuestMode } from '../monitor/index.ts';
import type { Registers } from '../../contract/index.ts';
import type { QmpClient } from './qmp.ts';

/** What `info registers` of QEMU's human monitor gives of an AArch64 PE. */
export type ProcessorState = Registers;

/** Milliseconds between two looks at a PE that was in the monitor. */
const AGAIN = 2;
const MAX_LOOKS = 50;

/**
 * Stops the machine and says where its guest is. While the monitor serves the guest, it is let go on for a moment.
 *
 * @returns undefined where the guest was not met
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

/** Reads the text of `info registers`, as QEMU 7 to 11 give it. @returns undefined for any other */
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
