import { afterAll, describe, expect, it } from 'vitest';
import { bootRequests, GuestRun } from '../../petri/kit/monitor/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import type { TmkPayload, HaltReason } from '../../petri/contract/index.ts';
import { judge, TmkMonitor } from '../../petri/tmk/index.ts';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { optionalTool } from '../../petri/unit-test/optional-tool.ts';
import { MachinePool } from './machine-pool.ts';
import { monitorPath, qemuCommand } from './probe.ts';

const qemu = optionalTool('qemu-system-aarch64', 'qemu-system-arm');

const MEMORY = 4 * 2 ** 20;
const pool = new MachinePool();

afterAll(async () => {
  await pool.close();
  await Supervisor.current()?.close();
});

/** Runs one test with RAM at an address. @returns the verdict */
async function verdict(payload: TmkPayload, testIndex: number, ramBase: number): Promise<string> {
  const machine = await pool.acquire({ command: qemuCommand(), monitor: monitorPath(), memory: MEMORY });
  const listener = { print: () => undefined, log: () => undefined };
  const run = new GuestRun(machine, new TmkMonitor(payload.image, ramBase, listener));
  machine.run(bootRequests(payload, { ramBase, ramBytes: MEMORY }, testIndex), run);
  const halt: HaltReason = await run.halted;
  pool.release(machine);
  const test = payload.image.tests[testIndex];
  if (test === undefined) throw new Error(`there is no test ${testIndex}`);
  const { verdict: result, cause } = judge(test, run.events, halt);
  return result === 'pass' ? 'pass' : `${test.name}: ${cause}`;
}

describe.skipIf(qemu === undefined)('on QEMU, a machine that is not ours, payloads do what their flags say', () => {
  it.each([
    ['hello', 0x8000_0000],
    ['hello', 0],
    ['simple', 0x8000_0000],
    ['selftest', 0x8000_0000],
    ['selftest', 0x4000_0000],
    ['simd', 0x8000_0000],
    ['fp-environment', 0x8000_0000],
    ['exceptions', 0x8000_0000],
    ['mmu', 0x8000_0000],
    ['exits', 0x8000_0000],
    ['exits', 0],
    ['mmio', 0x8000_0000],
    ['garbage', 0x8000_0000],
    ['panic', 0x8000_0000],
    ['faults', 0x8000_0000],
    ['holes', 0x8000_0000],
    ['foreign', 0x8000_0000],
  ])('%s, with RAM at %i', async (name, ramBase) => {
    const payload = tmk(name);
    for (const test of payload.image.tests) {
      // The test expects a plane, in which SMC is not undefined.
      if (test.linuxOnly) continue;
      expect(await verdict(payload, test.index, ramBase)).toBe('pass');
    }
  });
});
