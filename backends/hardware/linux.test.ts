import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { linuxIsPrepared } from '../../petri/payload/index.ts';
import { until } from '../../petri/unit-test/until.ts';
import { HANGS } from '../../petri/unit-test/hangs.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { Proxy } from './testing/proxy.ts';
import { script, TestVms } from './testing/vms.ts';
import { sshdPath, TestSshd, withEnvironment } from './testing/sshd.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');

/** A real sshd as the machine, and real QEMU as the launcher. */
describe.skipIf(sshdPath === undefined || qemu === undefined)('QEMU on a machine', () => {
  let sshd: TestSshd;
  let vms: TestVms;
  let proxy: Proxy;

  beforeAll(async () => {
    sshd = await TestSshd.start();
    proxy = await Proxy.to(sshd.port);
    vms = new TestVms(sshd);
  });
  afterEach(async () => {
    proxy.mend();
    await vms.clear();
  });
  afterAll(async () => {
    await vms.end();
    await proxy.end();
    await sshd.end();
  });

  let connections = 0;
  beforeEach(() => {
    connections = proxy.connections;
  });

  const host = (extra: Record<string, unknown> = {}) => ({
    port: proxy.port,
    launchers: { none: { kind: 'qemu' } },
    ...extra,
  });
  const launches = (): string[] => readdirSync(join(sshd.folder, 'remote', 'launches'));

  // Tests do not download it: run `petri linux install` first.
  describe.skipIf(!linuxIsPrepared())('with Linux', () => {
    it('boots, receives input, runs commands independently of that, and powers off', async () => {
      await vms.hosts({ ...host(), launchers: script('exit 1'), name: 'plain' }, host());
      const vm = await vms.launchLinux();
      expect(await vm.exec('uname -m; echo oops >&2; exit 3')).toEqual({
        stdout: 'aarch64\n',
        stderr: 'oops\n',
        exitCode: 3,
      });
      expect(await vm.exec('nproc')).toMatchObject({ stdout: '2\n' });
      await vm.serial.waitFor('petri: init has started');
      await vm.serial.sendLine('echo $((6 * 7))');
      await vm.serial.waitFor(/^42$/m);
      expect(vm.serial.transcript).not.toContain('oops');
      await vm.stop({ timeout: HANGS });
      expect(await vm.halted).toEqual({ reason: 'power-off' });
      await expect(vm.exec('true')).rejects.toMatchObject({ code: 'vm-halted' });
      await expect.poll(launches).toEqual([]);
    });

    it('runs two VMs over one connection, as many as a server allows by default', async () => {
      await vms.hosts(host({ capacity: 2 }));
      const both = await Promise.all([vms.launchLinux(), vms.launchLinux()]);
      const said = await Promise.all(both.map((vm, n) => vm.exec(`echo ${String(n)}`)));
      expect(said.map(({ stdout }) => stdout)).toEqual(['0\n', '1\n']);
      expect(proxy.connections).toBe(connections + 1);
    });

    it('runs a command to its end while the connection is cut, and returns all of its output', async () => {
      await vms.hosts(host());
      const vm = await vms.launchLinux();
      await vm.exec('true');
      const running = vm.exec('echo begun >/dev/ttyAMA0; sleep 2; seq 1 20000; exit 5');
      await vm.serial.waitFor('begun');
      proxy.cut();
      await until(() => sshd.wrote('agent') > 100_000);
      proxy.mend();
      const { stdout, exitCode } = await running;
      expect(exitCode).toBe(5);
      expect(stdout).toBe(Array.from({ length: 20_000 }, (_, n) => `${String(n + 1)}\n`).join(''));
      expect(proxy.connections).toBeGreaterThan(connections + 1);
    });

    it('fails a command with the VM if the connection stays cut', async () => {
      await vms.hosts(host({ reconnect: 1 }));
      const vm = await vms.launchLinux();
      await vm.exec('true');
      const running = vm.exec('echo begun >/dev/ttyAMA0; sleep 4321');
      running.catch(() => undefined);
      await vm.serial.waitFor('begun');
      proxy.cut();
      await expect(running).rejects.toMatchObject({ code: 'vm-halted' });
      expect(await vm.halted).toMatchObject({ reason: 'backend-lost' });
      // The host ends it.
      await sshd.expire();
      await expect.poll(() => withEnvironment('PETRI_LAUNCH=', sshd.folder)).toEqual([]);
    });

    it('reports a kernel panic, and can be booted again', async () => {
      await vms.hosts(host());
      const vm = await vms.launchLinux();
      await vm.exec('true');
      await vm.serial.sendLine('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger');
      expect(await vm.halted).toEqual({ reason: 'panic', message: 'sysrq triggered crash', location: 'kernel' });
      await vm.reset();
      expect(await vm.exec('echo back')).toMatchObject({ stdout: 'back\n' });
      await vm.serial.sendLine('reboot -f');
      expect(await vm.halted).toEqual({ reason: 'reset' });
    });

    it('that hangs is ended at its deadline, and its PC is reported', async () => {
      await vms.hosts(host());
      const vm = await vms.launchLinux({ commandLine: 'rdinit=/nowhere init=/nowhere' });
      await vm.serial.waitFor('Booting Linux');
      await vm.expire('the deadline passed');
      expect(await vm.halted).toMatchObject({
        reason: 'timeout',
        message: expect.stringMatching(/it was at 0x[0-9a-f]+$/) as string,
      });
      expect(vm.registers().x).toHaveLength(31);
    });
  });

  it('boots no Linux if no host has QEMU for it', async () => {
    if (!linuxIsPrepared()) return;
    await vms.hosts({ launchers: script('exit 0') });
    await expect(vms.launchLinux()).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('reports PC and registers of a TMK at its deadline', async () => {
    await vms.hosts(host());
    const vm = await vms.launch('loop', { test: 'spin' });
    await vm.serial.waitFor('spinning');
    await vm.expire('the deadline passed');
    expect(await vm.halted).toMatchObject({
      reason: 'timeout',
      message: expect.stringMatching(/the deadline passed; it was at 0x[0-9a-f]+ \(/) as string,
    });
    expect(vm.registers().x).toHaveLength(31);
  });
});
