import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Supervisor } from '../../../petri/kit/process/index.ts';
import { HostFolder } from '../remote/host-folder.ts';
import { RemoteHost } from '../ssh/remote-host.ts';
import { launchScript } from '../testing/lab.ts';
import { Proxy } from '../testing/proxy.ts';
import { sshdPath, TestSshd } from '../testing/sshd.ts';
import { FileLeases } from './file-lease.ts';
import { endLeaseGuard } from './lease-guard.ts';

describe.skipIf(sshdPath === undefined)('FileLeases', () => {
  let sshd: TestSshd;
  const hosts: RemoteHost[] = [];
  let number = 0;

  beforeAll(async () => {
    sshd = await TestSshd.start();
  });
  afterEach(() => {
    for (const host of hosts.splice(0)) host.close();
  });
  afterAll(async () => {
    await endLeaseGuard();
    await Supervisor.current()?.close();
    await sshd.end();
  });

  /** Accesses the same board like another process or machine. */
  const runner = async (
    name: string,
    extra: Record<string, unknown> = {},
    extraLease: { expires?: number; renewal?: number } = {},
  ): Promise<FileLeases> => {
    const host = new RemoteHost(sshd.host({ name, ...extra }));
    hosts.push(host);
    return new FileLeases(host, await HostFolder.open(host), {
      folder: `${sshd.folder}/leases`,
      expires: 3600,
      ...extraLease,
    });
  };
  const board = (): string => `board-${String((number += 1))}`;

  it('grants a board to one at a time, in the order of arrival', async () => {
    const name = board();
    const [one, two, three] = [await runner(name), await runner(name), await runner(name)];
    const first = await one.acquire();
    const order: string[] = [];
    const why: string[] = [];
    const placed = (leases: FileLeases, who: string): { place: Promise<unknown>; done: Promise<void> } => {
      let settle: (value: unknown) => void = () => undefined;
      const place = new Promise((resolve) => (settle = resolve));
      const done = leases
        .acquire({
          onWait: (reason) => {
            why.push(reason);
            settle(reason);
          },
        })
        .then(async (lease) => {
          order.push(who);
          await lease.release();
        });
      return { place, done };
    };
    const second = placed(two, 'two');
    await second.place;
    const third = placed(three, 'three');
    await third.place;
    expect(await one.show()).toMatchObject({ holders: [{}], waiting: [{}, {}] });
    expect(order).toEqual([]);
    await first.release();
    await Promise.all([second.done, third.done]);
    expect(order).toEqual(['two', 'three']);
    expect(why[0]).toMatch(new RegExp(`^${name} is used by \\S+@\\S+:\\d+ for less than a minute; we are number 1 in`));
    expect(await one.show()).toEqual({ holders: [], waiting: [] });
  });

  it('grants a machine to as many as its capacity', async () => {
    const leases = await runner(board(), { capacity: 2 });
    const [a] = await Promise.all([leases.acquire(), leases.acquire()]);
    const controller = new AbortController();
    const third = leases.acquire({ signal: controller.signal, onWait: () => controller.abort() });
    await expect(third).rejects.toMatchObject({ code: 'wait-timeout' });
    expect((await leases.show()).waiting).toEqual([]);
    await a.release();
    await leases.acquire();
  });

  it('is free again when its holder has stopped renewing it', async () => {
    const name = board();
    const proxy = await Proxy.to(sshd.port);
    const dead = await runner(name, { port: proxy.port, reconnect: 1 }, { expires: 1 });
    const lease = await dead.acquire();
    await proxy.end();
    const lost = lease.lost;
    await (await (await runner(name)).acquire()).release();
    expect(await lost).toContain('expired');
  });

  it('tells its holder that another process waits, however long it lasts', async () => {
    const name = board();
    const first = await (await runner(name)).acquire();
    const second = (await runner(name)).acquire();
    await first.wanted;
    expect(first.waiting).toBe(1);
    await first.release();
    await (await second).release();
  });

  it('tells its holder when it is taken, and ends what runs under it', async () => {
    const name = board();
    const leases = await runner(name, {}, { renewal: 200 });
    const lease = await leases.acquire();
    const { launch, host } = await launchScript(sshd.host({ name }), 'exec sleep 1000', { lease: lease.file });
    hosts.push(host);
    expect(await (await runner(name)).break()).toBe(1);
    expect(await launch.ended).toMatchObject({ kind: 'lease-lost' });
    expect(await lease.lost).toContain('taken away');
    await launch.remove();
    // Releasing a lease that is no longer held does not affect its next holder.
    const next = await (await runner(name)).acquire();
    await lease.release();
    expect((await leases.show()).holders).toHaveLength(1);
    await next.release();
  });
});
