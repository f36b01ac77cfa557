import { describe, expect, it } from 'vitest';

import type { VmRuntime, PlaneInspector, RealmInspector } from '../contract/index.ts';
import { LastingPlane, LastingRealm } from './lasting-inspectors.ts';

function plane(exitCount: number): PlaneInspector {
  return {
    index: 1,
    registers: (vcpu = 0) => ({ x: [BigInt(vcpu)], sp: 0n, pc: BigInt(exitCount), pstate: 0n }),
    sysreg: (name) => BigInt(name.length),
    exits: [],
    exitCount,
    permissions: () => 'rw',
  };
}

function realm(numAuxPlanes: number): RealmInspector {
  return {
    config: { ipaWidth: 40, hashAlgorithm: 'sha-256', numAuxPlanes, rpv: new Uint8Array(64) },
    measurements: () => ({ rim: new Uint8Array([numAuxPlanes]), rem: [] }),
    ripas: () => 'ram',
  };
}

describe('an inspector that a test keeps', () => {
  it('is about the machine that the VM has when it looks', () => {
    const runtime: { -readonly [Key in 'planes' | 'realm']: VmRuntime[Key] } = {
      planes: [undefined, plane(1)],
      realm: realm(1),
    };
    const [kept, facts] = [new LastingPlane(1, runtime), new LastingRealm(runtime)];
    expect([kept.exitCount, kept.registers(2).x, facts.config.numAuxPlanes]).toEqual([1, [2n], 1]);
    runtime.planes = [undefined, plane(7)];
    runtime.realm = realm(3);
    expect([kept.exitCount, kept.registers().pc, facts.measurements().rim[0]]).toEqual([7, 7n, 3]);
    expect([kept.index, kept.permissions(0n), kept.sysreg('SP'), facts.ripas(0n)]).toEqual([1, 'rw', 2n, 'ram']);
    runtime.planes = [];
    runtime.realm = undefined;
    expect(() => kept.exits).toThrow(/the VM has no plane 1/);
    expect(() => facts.config).toThrow(/the VM has no realm/);
  });
});
