import { describe, expect, it } from 'vitest';
import { tmk } from '../../../payload/index.ts';
import { resolveVmConfig, type VmOptions } from '../../../vm/config.ts';
import type { VmSpec } from '../../../contract/spec.ts';
import { hostCommands } from '../agent-protocol.ts';
import { checkRealmSpec, kvmtoolRefuses, realmLimits } from './realm-limits.ts';
import { realmKey, realmRequest } from '../realm-config.ts';

function spec(options: VmOptions): VmSpec {
  return { isolation: 'cca', payload: tmk('hello'), config: resolveVmConfig(options), machine: 'shared' };
}

const platform = { name: 'some', limits: realmLimits(2 ** 31) };

describe('what kvmtool can make', () => {
  it.each<VmOptions>([{}, { memory: '2G' }, { measurementAlgorithm: 'sha-512' }, { rpv: 'a name' }])(
    'includes %j',
    (options) => {
      expect(kvmtoolRefuses(spec(options))).toBeUndefined();
      expect(() => checkRealmSpec(platform, spec(options))).not.toThrow();
    },
  );

  it.each<[VmOptions, RegExp]>([
    [{ ipaWidth: 48 }, /33 bits for 512 MiB, not 48/],
    [{ planes: 2 }, /1 auxiliary plane, not 2/],
    [{ vcpus: 2 }, /1 vCPU, not 2/],
    [{ rpv: Uint8Array.of(1, 0, 1) }, /as a text/],
    [{ rpv: 'a\n' }, /as a text/],
  ])('does not include %j, and says so', (options, reason) => {
    expect(kvmtoolRefuses(spec(options))).toMatch(reason);
  });

  it('is bounded by memory', () => {
    expect(() => checkRealmSpec(platform, spec({ memory: '64M' }))).toThrow(
      /memory is 64 MiB, expected 256 to 2048 MiB/,
    );
  });

  it('is a realm and nothing else', () => {
    expect(() => checkRealmSpec(platform, { ...spec({}), isolation: 'none' })).toThrow(
      /cannot make a VM of isolation type 'none'/,
    );
  });

  it('is asked for in a command that a shell cannot misread', () => {
    const request = realmRequest(resolveVmConfig({ memory: '1G', rpv: "x y'$(z)" }));
    expect(hostCommands.realm('n', request)).toBe('realm n 1024 sha256 x\\0040y\\0047\\0044(z)');
    expect(hostCommands.realm('n', realmRequest(resolveVmConfig({})))).toBe('realm n 512 sha256 -');
  });

  it('has a key that tells realms apart', () => {
    const keys = [{}, { memory: '1G' }, { measurementAlgorithm: 'sha-512' as const }, { rpv: 'a' }].map((options) =>
      realmKey(realmRequest(resolveVmConfig(options))),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});
