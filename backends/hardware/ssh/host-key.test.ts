import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { optionalTool } from '../../../petri/unit-test/optional-tool.ts';
import { algorithmsOf, fingerprint, HostKeys } from './host-key.ts';

const blob = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.alloc(36, 7)]);
const line = `ssh-ed25519 ${blob.toString('base64')} root@board`;

const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa'), Buffer.alloc(36, 9)]);

describe('HostKeys', () => {
  it('accepts the key by its fingerprint, its line, a line of ssh-keyscan and one with a hashed name', () => {
    for (const allowed of [fingerprint(blob), line, `[10.0.0.5]:2222 ${line}`, `|1|c2FsdA==|aGFzaA== ${line}`]) {
      expect(new HostKeys('board', ['SHA256:' + 'A'.repeat(43), allowed]).judge(blob)).toBe('accepted');
    }
  });

  it('requests only the types of known keys, and others last if a type is unknown', () => {
    const rsaLine = `ssh-rsa ${rsa.toString('base64')}`;
    expect(algorithmsOf(new HostKeys('board', [rsaLine]).types)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa']);
    expect(new HostKeys('board', [rsaLine, line]).types).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(new HostKeys('board', [rsaLine, fingerprint(blob)]).types).toEqual([
      'ssh-rsa',
      'ssh-ed25519',
      'ecdsa-sha2-nistp256',
      'ecdsa-sha2-nistp384',
      'ecdsa-sha2-nistp521',
    ]);
    expect(new HostKeys('board', [`256 ${fingerprint(blob)} root@board (ED25519)`]).types).toEqual(['ssh-ed25519']);
  });

  it('shows both fingerprints of a changed key', () => {
    const other = `SHA256:${'B'.repeat(43)}`;
    const keys = new HostKeys('board', [other]);
    expect(keys.judge(blob)).toBe('again');
    const refusal = keys.refusal([blob, rsa]);
    expect(refusal.code).toBe('host-key-refused');
    expect(refusal.message).toContain(
      `showed ssh-ed25519 ${fingerprint(blob)} and ssh-rsa ${fingerprint(rsa)}, expected ${other}`,
    );
  });

  it('shows the fingerprint of an unknown key, and never accepts it', () => {
    const keys = new HostKeys('board');
    expect(keys.judge(blob)).toBe('refused');
    expect(keys.refusal([blob]).message).toContain(`add hostKey: ${fingerprint(blob)}`);
  });

  it('refuses a revoked key, whatever else names it', () => {
    const keys = new HostKeys('board', [line, `@revoked * ${line}`]);
    expect(keys.judge(blob)).toBe('refused');
    expect(keys.refusal([blob]).message).toContain('is revoked in the hosts file');
  });

  it.each([
    ['SHA256:short', '"SHA256:short", which is neither a fingerprint nor a public key'],
    [`ssh-rsa ${blob.toString('base64')}`, 'which is neither'],
    [`@cert-authority * ${line}`, 'a certificate authority; host certificates are not supported'],
    ['ssh-ed25519-cert-v01@openssh.com AAAA', 'a certificate; host certificates are not supported'],
    [
      `sk-ssh-ed25519@openssh.com ${Buffer.concat([Buffer.from([0, 0, 0, 26]), Buffer.from('sk-ssh-ed25519@openssh.com')]).toString('base64')}`,
      'a key of type sk-ssh-ed25519@openssh.com, which is not supported',
    ],
  ])('reports which line of the hosts file is unusable, and why: %j', (allowed, why) => {
    expect(() => new HostKeys('board', [allowed])).toThrow(why);
  });

  it('accepts any bytes as a key', () => {
    for (const key of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(64, 255)]) {
      expect(new HostKeys('board').refusal([key]).message).toContain('unknown type');
    }
  });
});

const keygen = optionalTool('ssh-keygen', 'openssh-client');

describe.skipIf(keygen === undefined)('fingerprint', () => {
  it('equals that of OpenSSH', () => {
    const folder = mkdtempSync(join(tmpdir(), 'host-key-'));
    try {
      const path = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
      const printed = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' });
      const key = Buffer.from(readFileSync(`${path}.pub`, 'utf8').split(' ')[1] ?? '', 'base64');
      expect(fingerprint(key)).toBe(printed.split(' ')[1]);
      expect(new HostKeys('board', [printed]).judge(key)).toBe('accepted');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
