import { describe, expect, it } from 'vitest';
import { beyondLimits, type VmSpec } from '../../contract/index.ts';
import { tmk } from '../../payload/index.ts';
import { resolveVmConfig, type VmOptions } from '../../vm/index.ts';
import { hostCommands } from './agent-protocol.ts';
import { kvmtoolRefuses, realmLimits } from './realm-limits.ts';
import { realmKey, realmRequest } from './realm-config.ts';

function spec(options: VmOptions): VmSpec {
  return { isolation: 'cca', payload: tmk('hello'), config: resolveVmConfig(options), machine: 'shared' };
}

describe('the limits of kvmtool', () => {
  it.each<VmOptions>([{}, { memory: '2G' }, { measurementAlgorithm: 'sha-512' }, { rpv: 'a name' }])(
    'includes %j',
    (options) => {
      expect(kvmtoolRefuses(spec(options))).toBeUndefined();
      expect(beyondLimits('some', realmLimits(2 ** 31), resolveVmConfig(options))).toBeUndefined();
    },
  );

  it.each<[VmOptions, RegExp]>([
    [{ ipaWidth: 48 }, /33 bits for 512 MiB, not 48/],
    [{ rpv: Uint8Array.of(1, 0, 1) }, /as a text/],
    [{ rpv: 'a\n' }, /as a text/],
  ])('exclude %j, with a reason', (options, reason) => {
    expect(kvmtoolRefuses(spec(options))).toMatch(reason);
  });

  it.each<[VmOptions, RegExp]>([
    [{ memory: '64M' }, /64 MiB, some needs at least 256 MiB/],
    [{ memory: '3G' }, /3072 MiB of memory, some gives at most 2048 MiB/],
    [{ planes: 2 }, /2 auxiliary planes, some gives at most 1/],
    [{ vcpus: 2 }, /2 vCPUs, some gives at most 1/],
  ])('is bounded: not %j', (options, why) => {
    expect(beyondLimits('some', realmLimits(2 ** 31), resolveVmConfig(options))).toMatch(why);
  });

  it('are followed by in a command that a shell cannot misread', () => {
    const request = realmRequest(resolveVmConfig({ memory: '1G', rpv: "x y'$(z)" }));
    expect(hostCommands.realm('n', request)).toBe('realm n 1024 sha256 x\\0040y\\0047\\0044(z)');
    expect(hostCommands.realm('n', realmRequest(resolveVmConfig({})))).toBe('realm n 512 sha256 -');
  });

  it('give different realms different keys', () => {
    const keys = [{}, { memory: '1G' }, { measurementAlgorithm: 'sha-512' as const }, { rpv: 'a' }].map((options) =>
      realmKey(realmRequest(resolveVmConfig(options))),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
