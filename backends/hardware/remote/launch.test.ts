import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { launchScript } from '../testing/lab.ts';
import { Proxy } from '../testing/proxy.ts';
import { sshdPath, TestSshd, withEnvironment } from '../testing/sshd.ts';

describe.skipIf(sshdPath === undefined)('RemoteLaunch', () => {
  let sshd: TestSshd;
  let proxy: Proxy;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    sshd = await TestSshd.start();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    await sshd.end();
  });

  const start: (...args: Parameters<typeof launchScript>) => ReturnType<typeof launchScript> = async (...args) => {
    const started = await launchScript(...args);
    ends.push(async () => {
      await started.launch.remove();
      started.host.close();
    });
    return started;
  };
  const throughProxy = async (extra: Record<string, unknown> = {}) => {
    proxy = await Proxy.to(sshd.port);
    const used = proxy;
    ends.push(() => used.end());
    return sshd.host({ port: proxy.port, ...extra });
  };
  const launches = (): string[] => readdirSync(join(sshd.folder, 'remote', 'launches'));

  it('passes on a program’s output and input, and reports how it ended', async () => {
    const { launch, output } = await start(sshd.host(), 'echo ready; read line; echo "got $line" >&2; exit 5');
    await output.until('ready\n');
    launch.write(Buffer.from('some text\n'));
    expect(await launch.ended).toEqual({ kind: 'exited', code: 5 });
    expect(output.text).toBe('ready\ngot some text\n');
    await launch.remove();
    expect(launches()).toEqual([]);
  });

  it('has all output of a program that ends at once', async () => {
    const { launch, output } = await start(sshd.host(), 'head -c 3000000 /dev/zero');
    expect(await launch.ended).toEqual({ kind: 'exited', code: 0 });
    expect(output.bytes).toBe(3_000_000);
  });

  it('follows other files that it writes', async () => {
    let side = '';
    const { launch } = await start(sshd.host(), 'echo out; echo in a file >>"$PETRI_FOLDER/side"', {
      argv: (folder) => [
        'env',
        `PETRI_FOLDER=${folder}`,
        'sh',
        '-c',
        'echo out; echo in a file >>"$PETRI_FOLDER/side"',
      ],
      files: { side: (bytes) => (side += Buffer.from(bytes).toString()) },
    });
    await launch.ended;
    expect(side).toBe('in a file\n');
  });

  it('has additional streams, served by the same program', async () => {
    const config = await throughProxy();
    const serve =
      'cd "$0"; exec 4<>a.in 5>a.out; echo ready; while read -r x <&4; do echo "a got $x" >&5; [ "$x" != z ] || exit 4; done';
    let answered = '';
    const { launch, output } = await start(config, '', {
      argv: (folder) => ['sh', '-c', serve, folder],
      ports: { a: (bytes) => (answered += Buffer.from(bytes).toString()), never: () => undefined },
    });
    await output.until('ready');
    for (const word of ['x', 'y']) {
      launch.write(Buffer.from(`${word}\n`), 'a');
      await expect.poll(() => answered).toContain(`got ${word}\n`);
      proxy.cut();
      proxy.mend();
    }
    launch.write(Buffer.from('z\n'), 'a');
    expect(await launch.ended).toEqual({ kind: 'exited', code: 4 });
    expect(answered).toBe('a got x\na got y\na got z\n');
    expect(output.text).toBe('ready\n');
  });

  it('limits the output of a port like that of the program', async () => {
    let size = 0;
    const { launch } = await start(sshd.host({ outputLimit: 1 }), '', {
      argv: (folder) => ['sh', '-c', 'exec cat /dev/zero >"$0/a.out"', folder],
      ports: { a: (bytes) => (size += bytes.length) },
    });
    expect(await launch.ended).toMatchObject({ kind: 'output-limit' });
    expect(size).toBe(1024 * 1024);
  });

  it('loses and repeats nothing in either direction when the connection is cut repeatedly', async () => {
    const config = await throughProxy();
    const count = 3000;
    const { launch, output, log } = await start(
      config,
      `i=0; while [ $i -lt ${String(count)} ]; do read x; echo "line $i $x"; i=$((i + 1)); done`,
    );
    const expected = Array.from({ length: count }, (_, n) => `line ${String(n)} word${String(n)}\n`).join('');
    for (let n = 0; n < count; n++) {
      launch.write(Buffer.from(`word${String(n)}\n`));
      if (n % 600 === 599) {
        proxy.cut();
        proxy.mend();
        await output.until(`line ${String(n - 100)} `);
      }
    }
    expect(await launch.ended).toEqual({ kind: 'exited', code: 0 });
    expect(output.text).toBe(expected);
    expect(proxy.connections).toBeGreaterThan(3);
    expect(log.some((line) => line.includes('connecting again'))).toBe(true);
  });

  it('ends on the host without heartbeats, with all that it started, and leaves nothing behind', async () => {
    const config = await throughProxy({ reconnect: 1 });
    const { launch, output } = await start(
      config,
      `trap '' TERM HUP; (trap '' TERM; exec setsid sleep 4321) & echo ready; while :; do sleep 1; done`,
    );
    await output.until('ready');
    expect(withEnvironment('PETRI_LAUNCH=', sshd.folder)).not.toEqual([]);
    proxy.cut();
    const end = await launch.ended;
    expect(end.kind).toBe('lost');
    await sshd.expire();
    await expect.poll(launches).toEqual([]);
    expect(withEnvironment('PETRI_LAUNCH=', sshd.folder)).toEqual([]);
    expect(withEnvironment(join(sshd.folder, 'remote', 'launches'))).toEqual([]);
  });

  it('ends a program that prints without end, at its limit', async () => {
    const { launch, output } = await start(sshd.host({ outputLimit: 1 }), 'exec cat /dev/zero');
    expect(await launch.ended).toMatchObject({ kind: 'output-limit' });
    expect(output.bytes).toBe(1024 * 1024);
  });

  it('asks a program to end, and then ends it', async () => {
    const polite = await start(
      sshd.host(),
      `trap 'echo bye; exit 9' TERM; exec 2>/dev/null; echo ready; while :; do sleep 0.1; done`,
    );
    await polite.output.until('ready');
    polite.launch.stop();
    expect(await polite.launch.ended).toEqual({ kind: 'stopped', code: 9 });
    expect(polite.output.text).toBe('ready\nbye\n');
    const stubborn = await start(sshd.host(), `trap '' TERM; echo ready; while :; do sleep 0.1; done`, { grace: 1 });
    await stubborn.output.until('ready');
    stubborn.launch.stop();
    expect(await stubborn.launch.ended).toEqual({ kind: 'stopped', code: 137 });
  });

  it('can end a program before it is connected to it', async () => {
    const { launch } = await start(sshd.host(), `trap 'exit 9' TERM; while :; do sleep 0.1; done`);
    launch.stop();
    expect(await launch.ended).toMatchObject({ kind: 'stopped' });
  });

  it('detects a reboot of the machine', async () => {
    const config = await throughProxy();
    const { launch, output } = await start(config, 'echo ready; exec sleep 4321');
    await output.until('ready');
    await sshd.shutDown({ token: join(sshd.folder, 'remote') });
    await sshd.boot();
    const end = await launch.ended;
    expect(end).toMatchObject({ kind: 'lost', message: expect.stringContaining('rebooted') as string });
  });

  it('reports a missing program', async () => {
    await expect(start(sshd.host(), '', { argv: () => ['no-such-launcher'] })).rejects.toMatchObject({
      code: 'launch-failed',
      message: expect.stringContaining('machine has no program no-such-launcher') as string,
    });
    expect(launches()).toEqual([]);
  });

  it('gives a program a terminal on request', async () => {
    if (!existsSync('/usr/bin/script')) return;
    const { launch, output } = await start(sshd.host(), 'tty; echo "it\'s"', { terminal: true });
    expect(await launch.ended).toMatchObject({ kind: 'exited', code: 0 });
    expect(output.text).toMatch(/^\/dev\/pts\/\d+\r\nit's\r\n/);
  });
});
