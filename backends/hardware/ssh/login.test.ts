import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { PetriError } from '../../../petri/errors.ts';
import { sshdPath, TestSshd } from '../testing/sshd.ts';
import { RemoteHost } from './remote-host.ts';

const printed = (path: string): string =>
  execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1] ?? '';

describe.skipIf(sshdPath === undefined)('logging in', () => {
  const servers: TestSshd[] = [];
  const open: RemoteHost[] = [];
  const start = async (...config: readonly string[]): Promise<TestSshd> => {
    const sshd = await TestSshd.start((made) => made.config.push(...config));
    servers.push(sshd);
    return sshd;
  };
  const run = async (sshd: TestSshd, extra: Record<string, unknown> = {}): Promise<string> => {
    const host = new RemoteHost(sshd.host(extra));
    open.push(host);
    return (await host.run(['echo', 'in'])).stdout;
  };
  const failure = async (sshd: TestSshd, extra: Record<string, unknown> = {}): Promise<PetriError> => {
    const error = await run(sshd, extra).then(
      () => undefined,
      (thrown: unknown) => thrown as PetriError,
    );
    if (error === undefined) throw new Error('it was let in');
    expect(error.message).not.toContain('whether the machine is on');
    return error;
  };

  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const host of open.splice(0)) host.close();
    await Promise.all(servers.splice(0).map((sshd) => sshd.end()));
  });

  describe('at a server with keys of several types', () => {
    let sshd: TestSshd;
    let keys: { readonly rsa: string; readonly ecdsa: string };
    beforeAll(async () => {
      sshd = await TestSshd.start((made) => {
        keys = { rsa: made.addHostKey('rsa'), ecdsa: made.addHostKey('ecdsa') };
      });
    });
    afterAll(async () => {
      await sshd.end();
    });

    it.each(['rsa', 'ecdsa'] as const)('accepts the %s key if the hosts file has only that', async (type) => {
      const print = printed(join(sshd.folder, `host_key_${type}.pub`));
      expect(await run(sshd, { hostKey: keys[type] })).toBe('in\n');
      expect(await run(sshd, { hostKey: print })).toBe('in\n');
      const { address, port, user, identityFile } = sshd.host();
      expect(await run(sshd, { jump: { address, port, user, identityFile, hostKey: print }, hostKey: print })).toBe(
        'in\n',
      );
    });

    it('rejects unknown keys, and reports what the server showed', async () => {
      const error = await failure(sshd, { hostKey: `SHA256:${'A'.repeat(43)}` });
      expect(error.code).toBe('host-key-refused');
      for (const type of ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa']) expect(error.message).toContain(type);
      const [revoked, accepted] = [`@revoked * ${keys.rsa}`, printed(join(sshd.folder, 'host_key_rsa.pub'))];
      expect((await failure(sshd, { hostKey: [keys.rsa, revoked] })).message).toContain('is revoked');
      expect((await failure(sshd, { hostKey: [revoked, accepted] })).message).toContain('is revoked');
    });
  });

  it('reports the server’s keys if it has none of the known type', async () => {
    const sshd = await start();
    const path = join(sshd.folder, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', path]);
    const error = await failure(sshd, { hostKey: readFileSync(`${path}.pub`, 'utf8').trim() });
    expect(error.code).toBe('host-key-refused');
    expect(error.message).toContain(`showed ssh-ed25519 ${printed(join(sshd.folder, 'host_key.pub'))}, expected`);
  });

  it('reports a failed key exchange', async () => {
    const error = await failure(await start('KexAlgorithms sntrup761x25519-sha512@openssh.com'));
    expect(error.code).toBe('key-exchange-failed');
    expect(error.message).toContain('there is no key exchange algorithm that both sides know');
  });

  it.each([
    ['AuthenticationMethods publickey,keyboard-interactive', 'wants a second factor besides (keyboard-interactive)'],
    ['PubkeyAuthentication no', 'it takes no public keys, only keyboard-interactive'],
  ])('reports the missing method with %s', async (line, why) => {
    const error = await failure(await start('KbdInteractiveAuthentication yes', line));
    expect(error.code).toBe('authentication-failed');
    expect(error.message).toContain(why);
  });

  it('reports an error of the agent', async () => {
    const sshd = await start();
    vi.stubEnv('SSH_AUTH_SOCK', join(sshd.folder, 'no-agent'));
    const error = await failure(sshd, { identityFile: undefined, agent: true });
    expect(error.code).toBe('authentication-failed');
    expect(error.message).toContain('the SSH agent failed: ');
  });

  it('reports unsupported user certificates', async () => {
    const sshd = await start('LogLevel ERROR');
    const [authority, key] = [join(sshd.folder, 'ca'), join(sshd.folder, 'certified')];
    for (const path of [authority, key]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    const { user } = sshd.host();
    execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'test', '-n', user, `${key}.pub`]);
    await sshd.shutDown();
    sshd.config.push(`TrustedUserCAKeys ${authority}.pub`);
    await sshd.boot();
    // The server accepts the certificate from OpenSSH's own client.
    const [port, known] = [String(sshd.port), join(sshd.folder, 'known')];
    const options = [`UserKnownHostsFile=${known}`, 'StrictHostKeyChecking=accept-new', 'BatchMode=yes'];
    const flags = ['-F', 'none', '-i', key, '-p', port, ...options.flatMap((option) => ['-o', option])];
    expect(execFileSync('ssh', [...flags, `${user}@127.0.0.1`, 'echo in'], { encoding: 'utf8' })).toBe('in\n');
    const error = await failure(sshd, { identityFile: key });
    expect(error.code).toBe('authentication-failed');
    expect(error.message).toContain(`the certificate ${key}-cert.pub is not used: user certificates are not supported`);
    copyFileSync(`${key}-cert.pub`, `${key}-named`);
    for (const path of [`${key}-cert.pub`, `${key}-named`]) {
      expect((await failure(sshd, { identityFile: path })).message).toContain(
        'is a certificate, and user certificates',
      );
    }
  });

  it('distinguishes a machine that ends the connection from one that is off', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    try {
      const sshd = await start();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const error = await failure(sshd, { port, reconnect: 0 });
      expect(error.code).toBe('connection-failed');
      expect(error.remedy).toMatch(/sshd/);
    } finally {
      server.close();
    }
  });
});
