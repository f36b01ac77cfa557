import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, type TmkPayload, tmkSpec } from '../../../petri/contract/index.ts';
import { digestOf } from '../../../petri/kit/cca/index.ts';
import { type RunBudgets, RealmVm } from '../../../petri/kit/cca/host/index.ts';
import { tmk } from '../../../petri/payload/index.ts';
import { Supervisor } from '../../../petri/kit/process/index.ts';
import { HANGS } from '../../../petri/unit-test/hangs.ts';
import { optionalTool, toolsAreRequired } from '../../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig, type Vm, type VmOptions } from '../../../petri/vm/index.ts';
import type { InstalledStack } from '../stack/installed.ts';
import { makePlainHost, plainBoard, plainHostIsPrepared } from '../testing/plain-host.ts';
import { closeRealms } from './launch.ts';
import { realmPlatform } from './platform.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
const mke2fs = optionalTool('mke2fs', 'e2fsprogs');
const prepared = plainHostIsPrepared();

it.runIf(toolsAreRequired())('is prepared where tools are required', () => {
  expect(prepared, 'petri linux install was not run').toBe(true);
});

/**
 * The real QEMU, kernel, busybox, disk and UART, with our real agents, without RME: kvmtool and tmk_vmm are shims,
 * whose tests are listed in testing/plain-host/tmk_vmm.
 */
describe.skipIf(qemu === undefined || mke2fs === undefined || !prepared)(
  'realms on a QEMU whose launcher is a shim',
  () => {
    let folder: string;
    let stack: InstalledStack;
    let runBudgets: RunBudgets = {};
    let number = 0;
    const vms: Vm[] = [];

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'petri-qemu-realm-'));
      stack = makePlainHost(folder);
    });
    afterEach(async () => {
      await Promise.all(vms.splice(0).map((vm) => vm.dispose()));
    });
    afterAll(async () => {
      await closeRealms();
      await Supervisor.current()?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const backend: Backend = {
      name: 'qemu',
      description: 'a machine without RME',
      probe: () => Promise.reject(new Error('not asked')),
      launch: (spec, context) => {
        const platform = realmPlatform({ stack, command: 'qemu-system-aarch64', board: plainBoard, runBudgets });
        return Promise.resolve(new RealmVm(platform, tmkSpec('qemu', spec), context));
      },
    };

    function payloadWith(test: string, path = tmk('hello').path): TmkPayload {
      const payload = tmk(path);
      const [first] = payload.image.tests;
      if (first === undefined) throw new Error('hello has a test');
      return { ...payload, image: { ...payload.image, tests: [{ ...first, name: test }] } };
    }

    async function launch(payload: TmkPayload, options: VmOptions & { fresh?: boolean } = {}): Promise<Vm> {
      const { fresh = false, ...config } = options;
      const vm = await launchVm(
        backend,
        { isolation: 'cca', payload, config: resolveVmConfig(config), machine: fresh ? 'fresh' : 'shared' },
        { directory: join(folder, `vm-${++number}`), features: ['tmk', 'tmk.events', 'reset'] },
      );
      vms.push(vm);
      return vm;
    }

    /** Ends the VM. @returns the facts in its record, and its log */
    async function recordOf(vm: Vm): Promise<{ facts: Record<string, string>; log: string }> {
      await vm.dispose();
      const record = JSON.parse(readFileSync(join(vm.directory, 'vm.json'), 'utf8')) as {
        facts: Record<string, string>;
      };
      const log = readdirSync(vm.directory).find((name) => name.startsWith('petri.'));
      return { facts: record.facts, log: readFileSync(join(vm.directory, log ?? ''), 'utf8') };
    }

    it('boot once, and run tests one after another', async () => {
      const first = await launch(payloadWith('boot'));
      expect(await first.halted).toEqual({ reason: 'complete', success: true });
      expect(first.serial.transcript).toBe('hello world\n');
      const { facts } = await recordOf(first);
      for (const stage of ['host kernel', 'host agent', 'realm', 'plane 0', 'tmk_vmm']) {
        expect(facts[`stage.${stage}`]).toMatch(/^\d+\.\d\d s$/);
      }
      const logs = facts['session.logs'] ?? '';
      const own = readFileSync(join(logs, 'host.log'));
      expect(own.toString()).toMatch(/Linux version .*[^]*host-ready/);
      expect(readFileSync(join(logs, 'host.qemu.log')).subarray(0, own.length).equals(own)).toBe(true);

      const second = await launch(payloadWith('panic'));
      expect(await second.halted).toEqual({ reason: 'panic', message: 'no more', location: 'panic.c:7' });
      expect(second.serial.transcript).toContain('##petri 0123456789abcdef end rc=0');
      expect((await recordOf(second)).facts['session.logs']).toBe(logs);
    });

    it('receive payloads made after the machine was booted, and return every byte of a flood', async () => {
      const path = join(folder, 'other.elf');
      copyFileSync(tmk('hello').path, path);
      appendFileSync(path, 'makes it another file');
      const content = readFileSync(path);
      const vm = await launch(payloadWith('payload', path));
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      expect(vm.serial.transcript).toBe(`${digestOf(content)}\n`);

      const flood = await launch(payloadWith('flood'));
      expect(await flood.halted).toEqual({ reason: 'complete', success: true });
      const lines = flood.serial.transcript.trimEnd().split('\n');
      expect(lines.map((line) => /^line (\d+) of a flood/.exec(line)?.[1])).toEqual(
        Array.from({ length: 2000 }, (_, index) => String(index + 1)),
      );
    });

    it('repeat output that was damaged by a message of the kernel', async () => {
      const vm = await launch(payloadWith('noise'));
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      expect(vm.serial.transcript).toContain('before\nafter\n');
      const { log } = await recordOf(vm);
      expect(log).toContain('the output of tmk_vmm arrived damaged');
    });

    it('are stopped while they run, and the realm continues', async () => {
      const vm = await launch(payloadWith('endless'));
      await vm.serial.waitFor('goes on\n');
      await vm.stop({ timeout: HANGS });
      expect(await vm.halted).toEqual({ reason: 'stopped' });
      const logs = (await recordOf(vm)).facts['session.logs'];
      const next = await launch(payloadWith('boot'));
      expect(await next.halted).toEqual({ reason: 'complete', success: true });
      const record = await recordOf(next);
      expect(record.facts['session.logs']).toBe(logs);
      expect(record.log).not.toContain('launched again');
    });

    it('are launched again for another configuration', async () => {
      const vm = await launch(payloadWith('boot'), { memory: '1G' });
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      expect((await recordOf(vm)).log).toMatch(/the test needs one with 1024 MiB, sha256, rpv ''/);
    });

    it('are on another machine for another stack', async () => {
      const before = await launch(payloadWith('boot'));
      await before.halted;
      stack = { ...stack, lockDigest: 'another' };
      const after = await launch(payloadWith('boot'));
      expect(await after.halted).toEqual({ reason: 'complete', success: true });
      const { facts } = await recordOf(after);
      expect(facts['stack.lock']).toBe('another');
      expect(facts['session.logs']).not.toBe((await recordOf(before)).facts['session.logs']);
    });

    it('are not launched if kvmtool fails, and the next test gets another machine', async () => {
      const vm = await launch(payloadWith('boot'), { memory: 334 * 2 ** 20, ipaWidth: 33 });
      await expect(vm.start()).rejects.toMatchObject({
        code: 'boot-failed',
        message: expect.stringContaining('lkvm ended with code 12') as string,
      });
      const next = await launch(payloadWith('boot'));
      expect(await next.halted).toEqual({ reason: 'complete', success: true });
    });

    it('are lost with a host that panics, and the next test gets another machine', async () => {
      // Nothing follows the panic, so waiting is unnecessary.
      runBudgets = { crash: 1, interrupt: 1 };
      const vm = await launch(payloadWith('crash'));
      runBudgets = {};
      expect(await vm.halted).toMatchObject({
        reason: 'backend-lost',
        message: expect.stringContaining('Kernel panic - not syncing') as string,
      });
      const logs = (await recordOf(vm)).facts['session.logs'] ?? '';
      expect(existsSync(logs)).toBe(true);
      const next = await launch(payloadWith('boot'));
      expect(await next.halted).toEqual({ reason: 'complete', success: true });
      expect((await recordOf(next)).facts['session.logs']).not.toBe(logs);
    });
  },
);
