import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Rmi, type RmiCommand, Rsi } from './index.ts';
import { checkInvariants } from './testing/invariants.ts';
import { DRAM_AT, GUARD, RAM, runningRealm, type TestRealm } from './testing/test-realm.ts';

const commands = Object.keys(Rmi) as RmiCommand[];
const rsiCalls = [...Object.values(Rsi), 0xc400_0003, 0xc400_0004, 0x8400_0001, 0x8400_0000, 0x8000_0000];

/** Arguments of a hostile host or realm: granules in any state, IPAs of all kinds, levels, sizes and random values. */
type Argument = { kind: 'granule'; n: number } | { kind: 'value'; value: bigint };

const BLOCK = 2 ** 21;
const interesting = [0, 1, 2, 3, 15, 64, 4096, RAM, RAM + 4096, RAM + BLOCK, RAM + 3 * BLOCK, 2 ** 32 - 4096, 2 ** 32];
const more = [2 ** 32 + BLOCK, 2 ** 33 - 4096, 2 ** 33, 2 ** 47, 2 ** 48, 2 ** 52, -1, -4096, 0xffff_0000];
const argument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 5, arbitrary: fc.nat(200).map((n): Argument => ({ kind: 'granule', n })) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...interesting, ...more)
      .map((value): Argument => ({ kind: 'value', value: BigInt.asUintN(64, BigInt(value)) })),
  },
  { weight: 2, arbitrary: fc.nat(40).map((n): Argument => ({ kind: 'value', value: BigInt(RAM + n * 4096) })) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n).map((value): Argument => ({ kind: 'value', value })) },
);
const args = fc.array(argument, { minLength: 0, maxLength: 6 });
const hostCall = fc.record({ command: fc.constantFrom(...commands), args, direct: fc.nat(9) });
const realmCall = fc.record({ fid: fc.constantFrom(...rsiCalls), args });

function valueOf(realm: TestRealm, given: Argument): bigint {
  const { memory } = realm.machine;
  return given.kind === 'granule' ? BigInt(memory.base + given.n * 4096) : given.value;
}

describe('a hostile host and a hostile realm', () => {
  it('never make the RMM throw, write outside of DRAM, or lose track of a granule', () => {
    fc.assert(
      fc.property(fc.array(hostCall, { maxLength: 60 }), fc.array(realmCall, { maxLength: 40 }), (host, guest) => {
        const calls = guest.values();
        let realm: TestRealm | undefined = undefined as TestRealm | undefined;
        realm = runningRealm(function* (port) {
          for (const call of calls) {
            port.x.fill(0n);
            port.x[0] = BigInt(call.fid);
            call.args.forEach((given, n) => {
              port.x[n + 1] = realm === undefined ? 0n : valueOf(realm, given);
            });
            yield { kind: 'smc' };
          }
          for (;;) yield { kind: 'park' };
        });
        const { machine } = realm;
        const [rec] = realm.recs;
        machine.rmm.interruptAfter(20_000);
        for (const { command, args: given, direct } of host) {
          // Sometimes a valid call, or the realm would rarely run.
          if (direct < 3 && rec !== undefined) machine.call('REC_ENTER', rec.pa, rec.run);
          else if (direct < 6)
            machine.call(command, realm.rd, ...given.map((value) => valueOf(machine0(realm), value)));
          else machine.call(command, ...given.map((value) => valueOf(machine0(realm), value)));
        }
        checkInvariants(machine.rmm.internals);
        const { u8 } = machine.linear;
        const end = DRAM_AT + machine.memory.bytes;
        expect(u8.subarray(DRAM_AT - GUARD, DRAM_AT).every((byte) => byte === 0)).toBe(true);
        expect(u8.subarray(end, end + GUARD).every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 150, seed: 0x70657472 },
    );
  });

  function machine0(realm: TestRealm | undefined): TestRealm {
    if (realm === undefined) throw new Error('no realm');
    return realm;
  }

  it('may fill every page that they share with the RMM with random data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.nat(), (noise, seed) => {
        const realm = runningRealm();
        const { machine } = realm;
        const scribble = (pa: number, from: number) => {
          const view = machine.view(pa);
          for (let n = from; n < 4096; n += 8) view.setUint8(n + (seed % 8), noise[(n + seed) % 64] ?? 0);
        };
        const params = machine.granule();
        scribble(params, 0);
        machine.call('REALM_CREATE', machine.delegated(), params);
        machine.call('REC_CREATE', realm.rd, machine.delegated(), params);
        machine.cpu.script.push((vcpu) => vcpu.trap({ esr: seed | 0, ipa: seed * 4096 }));
        const [rec] = realm.recs;
        if (rec !== undefined) {
          scribble(rec.run, (seed % 256) * 8);
          machine.call('REC_ENTER', rec.pa, rec.run);
          machine.call('REC_ENTER', rec.pa, rec.run);
        }
        checkInvariants(machine.rmm.internals);
      }),
      { numRuns: 200, seed: 0x70657472 },
    );
  });
});
