import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { tmk } from '../../petri/payload/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { launchVm, resolveVmConfig } from '../../petri/vm/index.ts';
import { debuggerRequest } from './debugger.ts';
import { backend } from './index.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');

afterEach(() => void vi.unstubAllEnvs());
afterAll(async () => {
  await backend.close?.();
  await Supervisor.current()?.close();
});

it('takes the variable of all backends, and its own first', () => {
  expect(debuggerRequest({ PETRI_GDB: '5,wait' })).toEqual({ port: 5, wait: true });
  expect(debuggerRequest({ PETRI_GDB: '5,wait', PETRI_QEMU_GDB: '6' })).toEqual({ port: 6, wait: false });
});

describe('PETRI_QEMU_GDB', () => {
  it.each([
    ['', undefined],
    ['0', { port: 0, wait: false }],
    ['1234', { port: 1234, wait: false }],
    ['1234,wait', { port: 1234, wait: true }],
  ])('%j asks for %j', (value, expected) => {
    expect(debuggerRequest({ PETRI_QEMU_GDB: value })).toEqual(expected);
  });

  it.each(['x', '-1', '65536', '1234;quit', '1234,', 'tcp:1234', '1234\n'])('refuses %j', (value) => {
    expect(() => debuggerRequest({ PETRI_QEMU_GDB: value })).toThrow(
      expect.objectContaining({ code: 'invalid-option' }),
    );
  });

  it.skipIf(qemu === undefined)('lets a debugger start the guest', async () => {
    vi.stubEnv('PETRI_QEMU_GDB', '0,wait');
    const folder = mkdtempSync(join(tmpdir(), 'petri-gdb-test-'));
    const config = resolveVmConfig({ memory: '16M' });
    const vm = await launchVm(
      backend,
      { isolation: 'none', payload: tmk('hello'), config, machine: 'shared' },
      { directory: join(folder, 'vm'), features: ['tmk'] },
    );
    try {
      await vm.start();
      const log = readFileSync(join(vm.directory, 'petri.log'), 'utf8');
      const port = Number(/target remote 127\.0\.0\.1:(\d+)/.exec(log)?.[1]);
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      // Errors between two waits would be unhandled, and QEMU may end with unread bytes of ours.
      socket.on('error', () => undefined);
      // The remote protocol of GDB: `?` asks why the target has stopped, `c` lets it continue.
      socket.write('+$?#3f');
      let answer = '';
      while (!/\$T05.*#/.test(answer)) answer += String(((await once(socket, 'data')) as [Buffer])[0]);
      expect(vm.serial.size).toBe(0);
      socket.write('+$c#63');
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
      socket.destroy();
    } finally {
      await vm.dispose();
      rmSync(folder, { recursive: true });
    }
  });
});
