import { describe, expect, it } from 'vitest';
import type { VmPayload } from '../../petri/contract/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { resolveVmConfig, type VmOptions } from '../../petri/vm/index.ts';
import { refusal } from './probe.ts';

const hello = tmk('hello');
const linux: VmPayload = { kind: 'linux', name: 'linux', path: '/nowhere', commandLine: '' };

describe('within the limits of both payloads, QEMU refuses', () => {
  it.each<[string, VmPayload, VmOptions, RegExp]>([
    ['a TMK on two vCPUs', hello, { vcpus: 2 }, /needs 2 vCPUs, QEMU gives at most 1 for a payload of kind 'tmk'/],
    ['a TMK with more than fits below its command page', hello, { memory: '4G' }, /4096 MiB .* at most 2032 MiB/],
    ['Linux in less than it boots in', linux, { memory: '64M' }, /64 MiB, QEMU needs at least 128 MiB .*'linux'/],
  ])('%s', (_what, payload, options, why) => {
    const config = resolveVmConfig(options);
    expect(refusal({ isolation: 'none', payload, config, machine: 'shared' })).toMatch(why);
  });

  it.each<[VmPayload, VmOptions]>([
    [hello, { memory: '4M' }],
    [linux, { memory: '4G', vcpus: 8 }],
  ])('nothing else', (payload, options) => {
    const config = resolveVmConfig(options);
    expect(refusal({ isolation: 'none', payload, config, machine: 'shared' })).toBeUndefined();
  });
});
