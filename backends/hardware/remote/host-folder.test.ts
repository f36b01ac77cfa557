import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import type { PetriError } from '../../../petri/errors.ts';
import { optionalTool } from '../../../petri/unit-test/optional-tool.ts';
import { RemoteHost } from '../ssh/remote-host.ts';
import { Proxy } from '../testing/proxy.ts';
import { sshdPath, TestSshd } from '../testing/sshd.ts';
import { HostFolder } from './host-folder.ts';

const busybox = optionalTool('busybox', 'busybox');

describe.skipIf(sshdPath === undefined)('HostFolder', () => {
  const servers: TestSshd[] = [];
  const hosts: RemoteHost[] = [];
  const start = async (...config: readonly string[]): Promise<TestSshd> => {
    const sshd = await TestSshd.start((made) => made.config.push(...config));
    servers.push(sshd);
    return sshd;
  };
  const connect = (sshd: TestSshd, extra: Record<string, unknown> = {}): RemoteHost => {
    const host = new RemoteHost(sshd.host(extra));
    hosts.push(host);
    return host;
  };
  /** No server of these tests has SFTP. */
  const upload = async (sshd: TestSshd): Promise<void> => {
    const home = await HostFolder.open(connect(sshd));
    const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(3_000_000)]);
    for (const content of [bytes, Buffer.alloc(0)]) {
      const path = await home.put(content, { mode: '700' });
      expect(path).toContain(createHash('sha256').update(content).digest('hex'));
      expect(readFileSync(path).equals(content)).toBe(true);
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(readdirSync(join(home.path, 'files'))).toHaveLength(2);
  };

  afterEach(async () => {
    for (const host of hosts.splice(0)) host.close();
    await Promise.all(servers.splice(0).map((sshd) => sshd.end()));
  });

  it.each([
    ['greets', 'echo "*** Authorized users only ***"'],
    ['greets without a line end', 'printf welcome'],
    ['says our own words', 'printf "folder /tmp\\nunsafe /\\npetri-start:0\\n"'],
    ['complains', 'echo "no terminal" >&2'],
    ['repeats the command', 'echo "$SSH_ORIGINAL_COMMAND"'],
    ['says nothing', 'true'],
  ])('uploads files through a login shell that %s', async (_what, login) => {
    await upload(await start(`ForceCommand ${login}; eval "$SSH_ORIGINAL_COMMAND"`));
  });

  it.skipIf(busybox === undefined)('needs only the programs of busybox', async () => {
    let bin = '';
    const sshd = await TestSshd.start((made) => {
      bin = join(made.folder, 'bin');
      made.config.push(`SetEnv PATH=${bin} HOME=${join(made.folder, 'home')}`);
    });
    servers.push(sshd);
    mkdirSync(bin);
    const applets = execFileSync(String(busybox), ['--list'], { encoding: 'utf8' }).trim().split('\n');
    for (const applet of applets) symlinkSync(String(busybox), join(bin, applet));
    expect((await connect(sshd).run(['readlink', '-f', '/proc/self/exe'])).stdout).toContain('busybox');
    await upload(sshd);
  });

  it('uploads a file again after a broken connection, and discards the first part', async () => {
    const sshd = await start();
    const proxy = await Proxy.to(sshd.port);
    const host = connect(sshd, { port: proxy.port });
    const home = await HostFolder.open(host);
    const content = randomBytes(2_000_000);
    const run = host.run.bind(host);
    let broken = false;
    host.run = async (argv, options) => {
      if (options?.input === undefined || broken) return await run(argv, options);
      broken = true;
      const ran = run(argv, options);
      proxy.cut();
      proxy.mend();
      return await ran;
    };
    expect(readFileSync(await home.put(content)).equals(content)).toBe(true);
    expect(broken).toBe(true);
    await proxy.end();
  });

  it.each([
    ['echo forced', 'may be a forced command', 'forced'],
    ['exit 3', 'exit code 3', ''],
    ['internal-sftp', 'that account has no shell', 'sftp connections only'],
    ['sh -c "echo restricted: cannot specify / in command names >&2; exit 1"', 'is a restricted one', 'cannot specify'],
    ['PATH=/nowhere; eval "$SSH_ORIGINAL_COMMAND"', 'it has no sh', 'sh'],
  ])('reports an unusable shell: ForceCommand %s', async (command, why, said) => {
    const sshd = await start(`ForceCommand ${command}`);
    const error = await HostFolder.open(connect(sshd)).then(
      () => undefined,
      (thrown: unknown) => thrown as PetriError,
    );
    expect(error?.code).toBe('shell-unusable');
    expect(error?.message).toContain(why);
    expect(error?.message).toContain(said);
    expect(error?.message).not.toContain('whether the machine is on');
  });
});
