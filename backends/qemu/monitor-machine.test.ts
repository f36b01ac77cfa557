import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { PetriError } from '../../petri/errors.ts';
import { bootRequests, GuestRun } from '../../petri/kit/monitor/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { TmkMonitor } from '../../petri/tmk/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { MonitorMachine } from './monitor-machine.ts';
import { monitorPath, qemuCommand } from './probe.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');
const MEMORY = 16 * 2 ** 20;
/** Physical address of the guest's RAM (artifacts/monitor/monitor.c, GUEST_PA). */
const GUEST_PA = 0x4080_0000;

afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await Supervisor.current()?.close();
});

async function firstWords(machine: MonitorMachine): Promise<string> {
  const text = await machine.qemu.qmp.human(`xp /4gx ${GUEST_PA}`);
  return text
    .replaceAll(/[0-9a-f]+: /g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

describe.skipIf(qemu === undefined)('a machine with the monitor', () => {
  it('clears its guest when it is reset', async () => {
    const machine = await MonitorMachine.start({ command: qemuCommand(), monitor: monitorPath(), memory: MEMORY });
    const zeros = Array.from({ length: 4 }, () => `0x${'0'.repeat(16)}`).join(' ');
    expect(await firstWords(machine)).toBe(zeros);
    const payload = tmk('hello');
    const run = new GuestRun(
      machine,
      new TmkMonitor(payload.image, 0, { print: () => undefined, log: () => undefined }),
    );
    machine.run(bootRequests(payload, { ramBase: 0, ramBytes: MEMORY }, 0), run);
    expect(await run.halted).toEqual({ reason: 'complete', success: true });
    expect(machine.reusable).toBe(true);
    expect(await firstWords(machine)).not.toBe(zeros);
    await machine.reset();
    expect(await firstWords(machine)).toBe(zeros);
    await machine.end();
    expect(machine.reusable).toBe(false);
  });

  it('rejects a pending reset when it ends', async () => {
    // A wait for a budget would take longer than this test.
    vi.stubEnv('PETRI_SLOW_FACTOR', '1000');
    const machine = await MonitorMachine.start({ command: qemuCommand(), monitor: monitorPath(), memory: MEMORY });
    machine.run(bootRequests(tmk('hello'), { ramBase: 0, ramBytes: MEMORY }, 0), {
      message: () => undefined,
      lost: () => undefined,
    });
    machine.rest();
    const reset = machine.reset();
    const refused = expect(reset).rejects.toThrow(PetriError);
    await machine.end();
    await refused;
  });

  it('cannot be reset while its guest runs', async () => {
    const machine = await MonitorMachine.start({ command: qemuCommand(), monitor: monitorPath(), memory: MEMORY });
    const payload = tmk('loop');
    const run = new GuestRun(
      machine,
      new TmkMonitor(payload.image, 0, { print: () => undefined, log: () => undefined }),
    );
    machine.run(bootRequests(payload, { ramBase: 0, ramBytes: MEMORY }, 0), run);
    expect(machine.reusable).toBe(false);
    await expect(machine.reset()).rejects.toThrow('a machine that is running cannot be reset');
    await machine.end();
  });
});
