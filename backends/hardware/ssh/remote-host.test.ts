import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Proxy } from '../testing/proxy.ts';
import { sshdPath, TestSshd, freePort } from '../testing/sshd.ts';
import { RemoteHost } from './remote-host.ts';

describe.skipIf(sshdPath === undefined)('RemoteHost', () => {
  let sshd: TestSshd;
  const open: RemoteHost[] = [];
  const host = (extra: Record<string, unknown> = {}): RemoteHost => {
    const made = new RemoteHost(sshd.host(extra));
    open.push(made);
    return made;
  };

  beforeAll(async () => {
    sshd = await TestSshd.start();
  });
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });
  afterAll(async () => {
    await sshd.end();
  });

  it('runs programs with input, and returns their output and exit code', async () => {
    const machine = host();
    const ran = await machine.run(['sh', '-c', 'cat; echo "$0" >&2; exit 7', "it's"], { input: 'typed' });
    expect(ran).toEqual({ code: 7, stdout: 'typed', stderr: "it's\n" });
    const ended = await machine.run(['sh', '-c', 'kill -9 $$']);
    expect(ended.code).toBeUndefined();
  });

  it('uses one connection for everything, and restores it after it broke', async () => {
    const proxy = await Proxy.to(sshd.port);
    const machine = host({ port: proxy.port });
    await Promise.all([1, 2, 3].map((code) => machine.run(['sh', '-c', `exit ${String(code)}`])));
    expect(proxy.connections).toBe(1);
    proxy.cut();
    proxy.mend();
    expect((await machine.run(['echo', 'back'], { again: true })).stdout).toBe('back\n');
    expect(proxy.connections).toBe(2);
    await proxy.end();
  });

  it('repeats only programs that are marked as repeatable', async () => {
    const proxy = await Proxy.to(sshd.port);
    const machine = host({ port: proxy.port });
    const running = machine.run(['sh', '-c', 'exec sleep 1000']);
    const seen = expect(running).rejects.toThrow('no connection to machine: the connection ended while it ran sh');
    await machine.open(['echo', 'began'], async (channel) => {
      await new Promise((resolve) => channel.once('data', resolve));
    });
    proxy.cut();
    await seen;
    await proxy.end();
  });

  it('opens more channels than the server allows at once, one after the other', async () => {
    const machine = host();
    const all = await Promise.all(Array.from({ length: 25 }, (_, n) => machine.run(['echo', String(n)])));
    expect(all.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 25 }, (_, n) => n));
  });

  it('goes through a jump host, whose key is checked as well', async () => {
    const { address, port, user, hostKey, identityFile } = sshd.host();
    const jump = { address, port, user, hostKey, identityFile };
    expect((await host({ jump }).run(['echo', 'far'])).stdout).toBe('far\n');
    const wrong = { ...jump, hostKey: `SHA256:${'A'.repeat(43)}` };
    await expect(host({ jump: wrong }).run(['true'])).rejects.toMatchObject({
      code: 'host-key-refused',
      message: expect.stringContaining('the key of the jump host of machine is not the one') as string,
    });
  });

  it('reports an error at once if a retry is pointless', async () => {
    await expect(host({ identityFile: sshd.strangersFile }).run(['true'])).rejects.toMatchObject({
      code: 'authentication-failed',
      message: expect.stringContaining('does not let') as string,
    });
    await expect(host({ identityFile: '/nowhere/key' }).run(['true'])).rejects.toThrow(/cannot be read: ENOENT/);
    await expect(host({ hostKey: undefined }).run(['true'])).rejects.toThrow(
      /is not known: it showed ssh-ed25519 SHA256:/,
    );
    await expect(host({ hostKey: `SHA256:${'A'.repeat(43)}` }).run(['true'])).rejects.toThrow(
      /showed ssh-ed25519 SHA256:\S+, expected SHA256:AAAA/,
    );
  });

  it('gives up on an unreachable machine', async () => {
    await expect(host({ port: await freePort(), reconnect: 1 }).run(['true'])).rejects.toMatchObject({
      code: 'connection-failed',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('limits the output of a command, and its duration', async () => {
    const machine = host();
    const { stdout } = await machine.run(['sh', '-c', 'head -c 6000000 /dev/zero']);
    expect(stdout.length).toBe(4 * 1024 * 1024);
    await expect(machine.run(['sleep', '1000'], { timeout: 200 })).rejects.toThrow('there was no progress in 0.2 s');
  });
});
