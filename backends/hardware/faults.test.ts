import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { endsWithUs } from '../../petri/unit-test/ends-with-us.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { until } from '../../petri/unit-test/until.ts';
import { backend } from './index.ts';
import { Proxy } from './testing/proxy.ts';
import { sshdPath, TestSshd, withEnvironment } from './testing/sshd.ts';
import { script, TestVms } from './testing/vms.ts';

/** Faults between a run and its machine, seen from the VM's handle, with a real sshd as the machine. */
describe.skipIf(sshdPath === undefined)('a machine of a lab', () => {
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

  const launches = (): string[] => {
    const folder = join(sshd.folder, 'remote', 'launches');
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  const strays = (): number[] => withEnvironment('PETRI_LAUNCH=', sshd.folder);
  const holders = (): string[] => sshd.leases();
  const gone = async (): Promise<void> => {
    await expect.poll(launches).toEqual([]);
    await expect.poll(strays).toEqual([]);
  };
  /** Prints the second half of its lines once the file exists. */
  const counting = (file: string): string =>
    `i=0; while [ $i -lt 40 ]; do echo "line $i"; i=$((i + 1)); [ $i != 20 ] || until [ -e '${file}' ]; do sleep 0.1; done; done`;
  const counted = Array.from({ length: 40 }, (_, n) => `line ${String(n)}\n`).join('');

  it.each([
    ['disconnected for a while during boot', 'cut'],
    ['a cable that is dead for a while', 'silence'],
  ] as const)('%s: the console continues without loss', async (_, stop) => {
    const file = join(vms.folder, stop);
    await vms.hosts({ port: proxy.port, launchers: script(counting(file)) });
    const vm = await vms.launch();
    await vm.serial.waitFor('line 19\n');
    proxy[stop]();
    writeFileSync(file, '');
    await until(() => sshd.wrote('out') === counted.length);
    proxy.mend();
    expect(await vm.halted).toEqual({ reason: 'complete', success: true });
    expect(vm.serial.transcript).toBe(counted);
  });

  it('disconnected for good: the VM is lost, and the machine cleans up by itself', async () => {
    await vms.hosts({ port: proxy.port, launchers: script('echo ready; exec sleep 4321'), reconnect: 1 });
    const vm = await vms.launch();
    await vm.serial.waitFor('ready');
    proxy.cut();
    expect(await vm.halted).toMatchObject({
      reason: 'backend-lost',
      message: expect.stringContaining('no connection') as string,
    });
    await sshd.expire();
    await gone();
  });

  it('rebooted: the VM is lost, and the next one runs', async () => {
    await vms.hosts({ launchers: script('echo ready; exec sleep 4321') });
    const vm = await vms.launch();
    await vm.serial.waitFor('ready');
    await sshd.shutDown({ token: join(sshd.folder, 'remote') });
    await sshd.boot();
    expect(await vm.halted).toMatchObject({
      reason: 'backend-lost',
      message: expect.stringContaining('rebooted') as string,
    });
    await vms.hosts({ launchers: script('echo again') });
    const next = await vms.launch();
    expect(await next.halted).toMatchObject({ reason: 'complete', success: true });
    await gone();
  });

  it('with a rejected key, or a changed or unknown host key: reported before anything is launched', async () => {
    await vms.hosts({ identityFile: sshd.strangersFile });
    await expect(vms.launch()).rejects.toMatchObject({ code: 'authentication-failed' });
    const before = sshd.hostKey;
    await sshd.shutDown();
    sshd.newHostKey();
    await sshd.boot();
    await vms.hosts({ hostKey: before });
    await expect(vms.launch()).rejects.toMatchObject({
      code: 'host-key-refused',
      message: expect.stringMatching(/showed ssh-ed25519 SHA256:.*expected SHA256:/) as string,
    });
    const probe = await backend.probe();
    expect(probe).toMatchObject({
      available: false,
      missing: [{ what: expect.stringContaining('is not the one') as string }],
    });
  });

  it.skipIf(userInfo().uid !== 0 || optionalTool('mount', 'mount') === undefined)(
    'with a full disk: reported for an upload and for a launcher’s output (needs root for a small disk)',
    async (context) => {
      const small = join(sshd.folder, 'small');
      mkdirSync(small);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1536k,mode=700', 'tmpfs', small], { stdio: 'pipe' });
      } catch {
        context.skip('a tmpfs cannot be mounted here');
      }
      try {
        await vms.hosts({ folder: small, launchers: script('exec cat /dev/zero') });
        const vm = await vms.launch();
        expect(await vm.halted).toMatchObject({
          reason: 'backend-lost',
          message: expect.stringContaining('disk of machine is full') as string,
        });
        await vms.clear();
        execFileSync('dd', ['if=/dev/zero', `of=${small}/filler`, 'bs=1k', 'count=100000'], { stdio: 'ignore' });
      } catch (error) {
        // dd fails by design: it fills the disk.
        if (!String(error).includes('dd if=')) throw error;
      }
      try {
        await expect(vms.launch('selftest').then((vm) => vm.serial.waitFor('x'))).rejects.toMatchObject({
          code: 'upload-failed',
          message: expect.stringMatching(/disk is full|cannot be made/) as string,
        });
      } finally {
        await vms.clear();
        execFileSync('umount', ['-l', small]);
      }
    },
  );

  it('without the launcher: reported by probing and by launching', async () => {
    await vms.hosts({ launchers: { none: { kind: 'command', argv: ['no-such-launcher'] } } });
    expect(await backend.probe()).toMatchObject({
      available: false,
      missing: [{ what: 'machine, none: it has no no-such-launcher' }],
    });
    const vm = await vms.launch();
    await expect(vm.serial.waitFor('x')).rejects.toMatchObject({ code: 'launch-failed' });
  });

  it('whose launcher exits at once, fails or is killed', async () => {
    await vms.hosts({ launchers: script('exit 0') });
    expect(await (await vms.launch()).halted).toEqual({ reason: 'complete', success: true });
    await vms.hosts({ launchers: script('echo broken >&2; exit 3') });
    const failing = await vms.launch();
    expect(await failing.halted).toEqual({ reason: 'complete', success: false });
    expect(failing.serial.transcript).toBe('broken\n');
    await vms.hosts({ launchers: script('kill -9 $$') });
    expect(await (await vms.launch()).halted).toEqual({
      reason: 'backend-lost',
      message: 'the launcher was ended by signal 9',
    });
    await gone();
  });

  it('whose console floods: every byte arrives, and other work continues', async () => {
    const bytes = 100_000_000;
    await vms.hosts({ launchers: script(`head -c ${String(bytes)} /dev/zero | tr '\\0' x; echo; echo end`) });
    const vm = await vms.launch();
    await vm.serial.waitFor('end\n');
    await vm.halted;
    expect(vm.serial.size).toBe(bytes + 5);
    expect(statSync(String(vm.serial.logPath)).size).toBe(bytes + 5);
  });

  it('whose console stays silent: runs until the deadline, and ends with its VM', async () => {
    await vms.hosts({ launchers: script('exec sleep 4321') });
    const vm = await vms.launch();
    const wait = expect(vm.serial.waitFor('hello')).rejects.toMatchObject({ code: 'console-closed' });
    await vm.start();
    await vm.expire('the deadline passed');
    await wait;
    expect(await vm.halted).toMatchObject({ reason: 'timeout' });
    await vm.kill();
    await gone();
  });

  it('that two runs request: the second one waits for its turn', async () => {
    const path = await vms.hosts({ launchers: script('echo ready; exec sleep 4321') });
    const vm = await vms.launch();
    await vm.serial.waitFor('ready');
    const other = runner(path);
    const folder = join(vms.folder, 'other');
    const child = other.start(folder);
    await expect
      .poll(() => (existsSync(join(folder, 'petri.log')) ? readFileSync(join(folder, 'petri.log'), 'utf8') : ''))
      .toMatch(/machine is used by \S+@\S+:\d+ for less than a minute; we are number 1 in the queue/);
    await vm.kill();
    await vms.clear();
    await child.running;
    child.kill();
    await child.ended;
  });

  const stubborn = script('echo ready; trap "" TERM HUP; (exec setsid sleep 4321) & while :; do sleep 1; done');

  it('whose runner is killed: launcher and lease end at once', async () => {
    const path = await vms.hosts({ launchers: stubborn });
    const child = runner(path).start(join(vms.folder, 'killed'));
    await child.running;
    expect(strays()).not.toEqual([]);
    const [lease] = holders();
    expect(lease).toBeDefined();
    child.kill();
    await child.ended;
    await expect.poll(holders).not.toContain(lease);
    await expect.poll(strays).toEqual([]);
  });

  it('whose runner is killed with its guards: launcher and lease end when they expire', async () => {
    const path = await vms.hosts({ launchers: stubborn });
    const child = runner(path).start(join(vms.folder, 'killed-too'));
    await child.running;
    expect(launches()).not.toEqual([]);
    const [held] = holders();
    for (const pid of withEnvironment(child.state)) process.kill(pid, 'SIGKILL');
    await child.ended;
    expect(holders()).toContain(held);
    await sshd.expire();
    await gone();
    await vms.hosts({ launchers: script('exit 0') });
    expect(await (await vms.launch()).halted).toMatchObject({ reason: 'complete' });
    await vms.clear();
    expect(holders()).toEqual([]);
    expect(readdirSync(join(sshd.folder, 'remote', 'files')).filter((name) => name.includes('.part-'))).toEqual([]);
  });

  it('whose lease is taken: the VM ends with it', async () => {
    await vms.hosts({ launchers: script('echo ready; exec sleep 4321') });
    const vm = await vms.launch();
    await vm.serial.waitFor('ready');
    expect(await backend.hosts?.release('machine')).toBe(1);
    expect(await vm.halted).toMatchObject({
      reason: 'backend-lost',
      message: expect.stringContaining('taken away') as string,
    });
    await gone();
  });

  it.skipIf(optionalTool('qemu-system-aarch64', 'qemu-system-arm') === undefined)(
    'with QEMU: a TMK says hello, and a QEMU that is killed is a lost backend',
    async () => {
      await vms.hosts({ launchers: { none: { kind: 'qemu' } } });
      const vm = await vms.launch();
      await vm.serial.waitFor('hello world\n');
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      await vm.kill();
      const endless = await vms.launch('loop');
      await endless.serial.waitFor('running test');
      for (const pid of strays()) process.kill(pid, 'SIGKILL');
      expect(await endless.halted).toEqual({ reason: 'backend-lost', message: 'the launcher was ended by signal 9' });
      await gone();
    },
  );

  function runner(hosts: string): {
    start(folder: string): { running: Promise<void>; ended: Promise<unknown>; state: string; kill(): void };
  } {
    return {
      start: (folder) => {
        const program = fileURLToPath(new URL('testing/runner.mjs', import.meta.url));
        const state = `${folder}-state`;
        const child = spawn(process.execPath, [...endsWithUs, program, folder], {
          env: { ...process.env, PETRI_HOSTS: hosts, PETRI_STATE_DIR: state },
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        return {
          running: new Promise((resolve, reject) => {
            child.stdout.once('data', () => resolve());
            child.once('exit', (code) => reject(new Error(`the runner ended with ${String(code)}`)));
          }),
          ended: new Promise((resolve) => child.once('exit', resolve)),
          state,
          kill: () => child.kill('SIGKILL'),
        };
      },
    };
  }
});
