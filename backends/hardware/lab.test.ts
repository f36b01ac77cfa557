import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { tmk } from '../../petri/payload/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { resolveVmConfig } from '../../petri/vm/index.ts';
import { parseHosts } from './hosts/hosts-file.ts';
import { backend } from './index.ts';
import { Lab, runTags } from './lab.ts';
import { endLeaseGuard } from './lease/lease-guard.ts';
import { freePort, sshdPath, TestSshd } from './testing/sshd.ts';
import { TestVms } from './testing/vms.ts';

describe.skipIf(sshdPath === undefined)('Lab', () => {
  let sshd: TestSshd;
  const labs: Lab[] = [];

  beforeAll(async () => {
    sshd = await TestSshd.start();
  });
  afterEach(async () => {
    await Promise.all(labs.splice(0).map((lab) => lab.close()));
  });
  afterAll(async () => {
    await endLeaseGuard();
    await Supervisor.current()?.close();
    await sshd.end();
  });

  const lab = (...hosts: readonly Record<string, unknown>[]): Lab => {
    const made = new Lab(parseHosts(sshd.hostsFile(hosts), 'test'));
    labs.push(made);
    return made;
  };
  const none = { isolation: 'none', tags: [] as readonly string[] } as const;

  it('selects a host with the requested tags', async () => {
    const two = lab({ name: 'plain' }, { name: 'fast', tags: ['rack-2', 'big'] });
    const use = await two.use({ ...none, tags: ['big', 'rack-2'] }, {});
    expect(use.machine.name).toBe('fast');
    const named = await two.use({ ...none, tags: ['plain'] }, {});
    expect(named.machine.name).toBe('plain');
    await expect(two.use({ ...none, tags: ['small'] }, {})).rejects.toMatchObject({ code: 'unsupported' });
    await expect(two.use({ isolation: 'cca', tags: [] }, {})).rejects.toThrow(
      /no host makes VMs of isolation type 'cca'/,
    );
  });

  it('waits for all suitable hosts, takes the first one that is free, and releases the others', async () => {
    const hosts = [{ name: 'one' }, { name: 'two' }];
    const first = lab(...hosts);
    const held = [await first.use({ ...none, tags: ['one'] }, {}), await first.use({ ...none, tags: ['two'] }, {})];
    const second = lab(...hosts);
    const waits: string[] = [];
    let bothWait: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (bothWait = resolve));
    const got = second.use(none, {
      onWait: (why) => {
        waits.push(why);
        if (waits.length === 2) bothWait();
      },
    });
    await waiting;
    await held[1]?.lease.release();
    expect((await got).machine.name).toBe('two');
    await held[0]?.lease.release();
    const third = await lab(...hosts).use(none, {});
    expect(third.machine.name).toBe('one');
  });

  it('ignores unreachable hosts as long as there is another', async () => {
    const dead = { name: 'dead', port: await freePort(), reconnect: 0 };
    expect((await lab(dead, { name: 'alive' }).use(none, {})).machine.name).toBe('alive');
    await expect(lab(dead).use(none, {})).rejects.toMatchObject({ code: 'connection-failed' });
  });

  it('reads the tags of a run', () => {
    expect(runTags({ PETRI_HOST_TAGS: ' cca, rack-2,' })).toEqual(['cca', 'rack-2']);
    expect(runTags({})).toEqual([]);
  });

  it('skips a test if no host has its tags', async () => {
    const vms = new TestVms(sshd);
    try {
      await vms.hosts({ tags: ['rack-2'] });
      const spec = { isolation: 'none', payload: tmk('hello'), config: resolveVmConfig(), machine: 'shared' } as const;
      expect(backend.refuses?.({ ...spec, hostTags: ['rack-2'] })).toBeUndefined();
      expect(backend.refuses?.({ ...spec, hostTags: ['rack-9'] })).toBe(
        'no host of petri.hosts.yaml has the tags rack-9',
      );
    } finally {
      await vms.end();
    }
  });
});
