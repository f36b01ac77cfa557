import { describe, expect, it } from 'vitest';

import { tmk } from '../../../petri/payload/index.ts';
import { resolveVmConfig } from '../../../petri/vm/index.ts';
import { machinePool } from '../machine/index.ts';
import type { Guest } from './guest.ts';
import { plainGuests } from './plain/plain-guest.ts';
import { realmGuests } from './realm/realm-guest.ts';

const MIB = 1024 * 1024;
const listener = { print: () => undefined, log: () => undefined };
const payload = tmk('exits');
const config = resolveVmConfig({ memory: '64M' });

describe.each<[string, number, () => Guest]>([
  ['a realm', config.memory + MIB, () => realmGuests.make(payload, config, listener)],
  ['a plain VM', config.memory, () => plainGuests.make(payload, config, listener)],
])('%s', (_, dramBytes, make) => {
  it('leaves nothing in memory for the next VM', () => {
    const guest = make();
    guest.boot(0);
    while (guest.run(100_000, () => false) === undefined);
    guest.release();
    const { dram, linear } = machinePool.acquire(dramBytes);
    const left = linear.u8.subarray(dram.offset, dram.offset + dram.bytes).findIndex((byte) => byte !== 0);
    expect(left).toBe(-1);
  });
});
