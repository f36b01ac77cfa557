import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { packageRoot } from '../../../petri/package-root.ts';
import { parseHosts } from '../hosts/hosts-file.ts';
import { assess } from './assess.ts';
import { readFacts } from './host-facts.ts';

const [config] = parseHosts(
  JSON.stringify({
    version: 1,
    hosts: [
      {
        name: 'board',
        address: 'a',
        user: 'u',
        launchers: {
          none: { kind: 'qemu' },
          cca: { kind: 'kvmtool', kernel: '/cca/Image', tmkVmm: '/cca/tmk_vmm' },
          tdx: { kind: 'command', argv: ['run', '${payload}'] },
          snp: { kind: 'qemu', kernel: '/k', initrd: '/i', tmkVmm: '/t', command: 'qemu-system-x86_64' },
        },
      },
    ],
  }),
  'test',
);
if (config === undefined) throw new Error('no host');
const host = config;

const arm = ['arch aarch64', 'kvm yes', 'has qemu-system-aarch64', 'has lkvm', 'has /cca/Image', 'has /cca/tmk_vmm'];
const ask = (...lines: readonly string[]) =>
  assess(host, readFacts(lines.map((line) => `petri-probe ${line}\n`).join('')));

describe('assess', () => {
  it('lists the features of a host with realms', () => {
    for (const proof of ['realm-vm yes', 'rmi RMI ABI version 1.0', 'kvm_cap_arm_rmi 249']) {
      expect(ask(...arm, proof).get('cca')).toHaveProperty('features');
    }
  });

  it('reports Linux and a shell only if QEMU boots it', () => {
    const given = ask(...arm, 'realm-vm yes');
    expect(given.get('none')).toMatchObject({ features: expect.arrayContaining(['linux', 'exec']) as string[] });
    expect(given.get('cca')).not.toMatchObject({ features: expect.arrayContaining(['linux']) as string[] });
  });

  it('reports that a test was reached only if the launcher returns more than an exit code', () => {
    const given = ask(...arm, 'realm-vm yes', 'has run');
    for (const isolation of ['none', 'cca'] as const) {
      expect(given.get(isolation)).toMatchObject({ features: expect.arrayContaining(['tmk.events']) as string[] });
    }
    expect(given.get('tdx')).toMatchObject({ features: expect.not.arrayContaining(['tmk.events']) as string[] });
  });

  it.each<[string, readonly string[], string, RegExp]>([
    ['no KVM', arm.map((line) => line.replace('kvm yes', 'kvm no')), 'cca', /no \/dev\/kvm/],
    [
      'KVM without permission',
      arm.map((line) => line.replace('kvm yes', 'kvm denied')),
      'cca',
      /may not use \/dev\/kvm/,
    ],
    ['KVM without realms', [...arm, 'realm-vm no: Invalid argument'], 'cca', /makes no realms \(Invalid argument\)/],
    ['no proof of realms', arm, 'cca', /nothing says/],
    [
      'another architecture',
      [...arm, 'realm-vm yes'].map((line) => line.replace('aarch64', 'x86_64')),
      'cca',
      /it is x86_64, not aarch64/,
    ],
    ['no kvmtool', [...arm.filter((line) => line !== 'has lkvm'), 'realm-vm yes'], 'cca', /has no lkvm/],
    ['no kernel', arm.filter((line) => line !== 'has /cca/Image'), 'cca', /has no \/cca\/Image/],
    ['no setsid', [...arm, 'lacks setsid'], 'none', /no program setsid/],
    ['no QEMU', ['arch aarch64'], 'none', /no qemu-system-aarch64/],
    [
      'SNP switched off',
      ['arch x86_64', 'kvm yes', 'sev_snp N', ...['qemu-system-x86_64', '/k', '/i', '/t'].map((one) => `has ${one}`)],
      'snp',
      /SEV-SNP switched off/,
    ],
    [
      'a QEMU without SNP',
      ['arch x86_64', 'kvm yes', 'sev_snp Y', ...['qemu-system-x86_64', '/k', '/i', '/t'].map((one) => `has ${one}`)],
      'snp',
      /no sev-snp-guest/,
    ],
  ])('reports %s, with a remedy', (_what, lines, isolation, message) => {
    expect(ask(...lines).get(isolation as 'cca')).toMatchObject({
      missing: { what: expect.stringMatching(message) as string, remedy: expect.stringMatching(/./) as string },
    });
  });

  it('accepts any output of a host', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (lines) => {
        expect(ask(...lines).size).toBe(4);
      }),
    );
  });

  it('parses the output of the script on this machine', () => {
    const script = fileURLToPath(new URL('artifacts/hardware/probe.sh', packageRoot));
    const facts = readFacts(
      execFileSync('sh', [script, 'sh', '/etc/passwd', 'no-such-program', '/no/such/file'], { encoding: 'utf8' }),
    );
    expect(facts).toMatchObject({ arch: expect.stringMatching(/./) as string, cpus: expect.any(Number) as number });
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.memory).toBeGreaterThan(1024 * 1024);
    expect([...facts.has]).toEqual(['sh', '/etc/passwd']);
  });
});
