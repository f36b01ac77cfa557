import { describe, expect, it } from 'vitest';

import { parseHosts } from '../hosts/hosts-file.ts';
import { localNeeds } from './local-needs.ts';

const parse = (extra: object) =>
  parseHosts(
    JSON.stringify({
      version: 1,
      hosts: [{ name: 'board', address: 'a', user: 'u', launchers: { none: { kind: 'qemu' } }, ...extra }],
    }),
    'f',
  );

describe('localNeeds', () => {
  it('lists what is present', () => {
    const hosts = parse({
      identityFile: process.execPath,
      power: { kind: 'ipmi', address: 'bmc', user: 'u', passwordEnv: 'BMC', command: process.execPath },
    });
    const { facts, missing } = localNeeds('/lab/hosts.yaml', hosts, { BMC: 'secret', PATH: '' });
    expect(missing).toEqual([]);
    expect(facts).toEqual({
      'hosts file': '/lab/hosts.yaml',
      'ssh config': '~/.ssh/config is not read: the hosts file says all',
      keys: process.execPath,
      passwords: 'BMC',
      programs: process.execPath,
    });
  });

  it.each([
    [{ identityFile: '/nowhere/key' }, 'the key /nowhere/key cannot be read'],
    [{ jump: { address: 'j', user: 'u', identityFile: '/nowhere/jump' } }, 'the key /nowhere/jump cannot be read'],
    [{}, 'there is no SSH agent at SSH_AUTH_SOCK, and a host wants one'],
    [{ passphraseEnv: 'KEY_PASSWORD' }, 'the variable KEY_PASSWORD is not set'],
    [{ power: { kind: 'ipmi', address: 'b', user: 'u', passwordEnv: 'BMC' } }, 'there is no program ipmitool here'],
    [{ power: { kind: 'redfish', url: 'https://b', system: '1', user: 'u', passwordEnv: 'BMC' } }, 'BMC is not set'],
    [{ power: { kind: 'command', on: ['pdu'], off: ['pdu'] } }, 'there is no program pdu here'],
    [{ lease: { kind: 'labgrid', place: 'board' } }, 'there is no program python3 here'],
    [{ consoles: [{ kind: 'command', name: 'sol', argv: ['picocom'] }] }, 'there is no program picocom here'],
  ])('of %j reports what is missing', (extra, what) => {
    const { missing } = localNeeds('f', parse(extra), { PATH: '' });
    expect(missing.map((one) => one.what)).toContainEqual(expect.stringContaining(what));
    for (const { remedy } of missing) expect(remedy).not.toBe('');
  });
});
