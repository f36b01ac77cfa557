import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { optionalTool } from '../../../petri/unit-test/optional-tool.ts';
import { allowedFingerprint, fingerprint, refuseHostKey } from './host-key.ts';

const blob = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.alloc(36, 7)]);
const line = `ssh-ed25519 ${blob.toString('base64')} root@board`;

describe('refuseHostKey', () => {
  it('accepts the key by its fingerprint, its line and a line of ssh-keyscan', () => {
    for (const allowed of [fingerprint(blob), line, `[10.0.0.5]:2222 ${line}`]) {
      expect(refuseHostKey('board', ['SHA256:' + 'A'.repeat(43), allowed], blob)).toBeUndefined();
    }
  });

  it('shows both fingerprints of a key that changed', () => {
    const other = `SHA256:${'B'.repeat(43)}`;
    const refusal = refuseHostKey('board', [other], blob);
    expect(refusal?.code).toBe('host-key-refused');
    expect(refusal?.message).toContain(`showed ssh-ed25519 ${fingerprint(blob)}, expected ${other}`);
  });

  it('shows the fingerprint of an unknown key, and never accepts it', () => {
    expect(refuseHostKey('board', undefined, blob)?.message).toContain(`add hostKey: ${fingerprint(blob)}`);
  });

  it('says which line of the hosts file it cannot read', () => {
    expect(refuseHostKey('board', ['SHA256:short'], blob)?.message).toContain('"SHA256:short", which is neither');
    expect(refuseHostKey('board', [`ssh-rsa ${blob.toString('base64')}`], blob)?.message).toContain('which is neither');
  });

  it('survives any key', () => {
    for (const key of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(64, 255)]) {
      expect(refuseHostKey('board', undefined, key)?.message).toContain('unknown type');
    }
  });
});

const keygen = optionalTool('ssh-keygen', 'openssh-client');

describe.skipIf(keygen === undefined)('fingerprint', () => {
  it('is what OpenSSH prints', () => {
    const folder = mkdtempSync(join(tmpdir(), 'host-key-'));
    try {
      const path = join(folder, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
      const printed = execFileSync('ssh-keygen', ['-lf', `${path}.pub`], { encoding: 'utf8' });
      expect(allowedFingerprint(readFileSync(`${path}.pub`, 'utf8'))).toBe(printed.split(' ')[1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
