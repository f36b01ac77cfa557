import { join } from 'node:path';

import pc from 'picocolors';

import { describeHalt, type HaltReason } from '../../contract/index.ts';
import { debuggerVariable } from '../../debugging.ts';
import { PetriError } from '../../errors.ts';
import { runInterruptible } from '../../kit/process/index.ts';
import { launchVm, resolveVmConfig, type ImageVm, type LinuxVm } from '../../vm/index.ts';
import { openBench } from '../bench.ts';
import { exitCodes } from '../errors.ts';
import { choosePayload } from './choose-payload.ts';
import type { RunOptions } from './options.ts';
import { Terminal } from './terminal.ts';

/** Milliseconds that a guest has to power off after it was asked to. */
const STOP_TIMEOUT = 30_000;

/**
 * `petri run`: boots a payload with the console attached, until the guest ends. The exit code says how it ended: 0 for
 * a power-off.
 *
 * @throws PetriError of the payload and the backend, `invalid-option`, `interrupted`
 */
export async function run(name: string, options: RunOptions): Promise<void> {
  if (options.gdb !== undefined) process.env[debuggerVariable] = options.gdb;
  const payload = choosePayload(name, options);
  const config = resolveVmConfig({
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.vcpus === undefined ? {} : { vcpus: options.vcpus }),
    time: options.counted === true ? 'counted' : 'wall',
    maxInstructions: Number.MAX_SAFE_INTEGER,
  });
  const bench = await openBench(options, 'none');
  const { backend, probe } = bench.selected;
  await runInterruptible(async (signal) => {
    const vm = await launchVm(
      backend,
      { isolation: bench.isolation, payload, config, machine: 'fresh' },
      {
        directory: join(bench.directory, 'run'),
        features: probe.isolation[bench.isolation] ?? [],
        limits: probe.limits,
        signal,
      },
    );
    try {
      const halt = await attach(vm, options, signal);
      process.exitCode = exitCodeOf(halt);
    } finally {
      await vm.dispose();
      await backend.close?.();
    }
  });
}

/** Runs boot after boot with the console attached. @returns how the last one ended */
async function attach(vm: LinuxVm | ImageVm, options: RunOptions, signal: AbortSignal): Promise<HaltReason> {
  let resetting: Promise<void> | undefined;
  const terminal = new Terminal(vm.serial, {
    stop: () => void vm.stop({ timeout: STOP_TIMEOUT }),
    quit: () => void vm.kill(),
    reset: () => {
      resetting = vm.reset();
    },
    describe: () => description(vm),
  });
  if (process.stdin.isTTY) terminal.say(pc.dim('petri: Ctrl-] opens a menu'));
  try {
    await vm.start();
    for (;;) {
      const printed = terminal.printLines(signal);
      const halt = await vm.halted;
      await printed;
      if (resetting !== undefined) {
        await resetting;
        resetting = undefined;
        continue;
      }
      if (halt.reason === 'power-off') return halt;
      terminal.say(`${pc.yellow('petri:')} the VM halted: ${describeHalt(halt)}`);
      if (halt.reason !== 'reset' || options.noReboot === true) return halt;
      await vm.reset();
    }
  } finally {
    terminal.close();
  }
}

function description(vm: LinuxVm | ImageVm): string {
  const count = vm.instructions === undefined ? '' : `${vm.instructions.toLocaleString('en')} instructions, `;
  try {
    return `petri: ${count}PC 0x${vm.registers().pc.toString(16)}`;
  } catch (error) {
    if (error instanceof PetriError) return `petri: ${count}${error.message}`;
    throw error;
  }
}

function exitCodeOf({ reason }: HaltReason): number {
  return reason === 'power-off' || reason === 'reset' || reason === 'complete' ? 0 : exitCodes.failure;
}
