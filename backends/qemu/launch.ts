import type { LaunchContext, VmRuntime } from '../../petri/backend.ts';
import { PetriError } from '../../petri/errors.ts';
import { resolveVmConfig } from '../../petri/vm/index.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { debuggerRequest } from './debugger.ts';
import { MachinePool } from './machine-pool.ts';
import { MonitorMachine } from './monitor-machine.ts';
import { limits, monitorPath, qemuCommand } from './probe.ts';
import { TmkVm } from './tmk-vm.ts';

const MIB = 2 ** 20;

const pool = new MachinePool();

/** @throws PetriError `unsupported`, `invalid-config`, `payload-too-large`, and what starting QEMU throws */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  checkSpec(spec);
  const debugging = debuggerRequest();
  return await TmkVm.launch({
    spec,
    context,
    machine: { command: qemuCommand(), monitor: monitorPath() },
    pool,
    facts: { qemu: qemuCommand(), accelerator: 'tcg' },
    ...(debugging === undefined ? {} : { debugger: debugging }),
  });
}

/** Starts the machine that the first VM of default size will be on. What keeps it from starting is told when that VM is launched. */
export async function prepare(): Promise<void> {
  try {
    const { memory } = resolveVmConfig();
    pool.release(await MonitorMachine.start({ command: qemuCommand(), monitor: monitorPath(), memory }));
  } catch {
    return;
  }
}

/** Ends the machines that wait for guests. */
export async function close(): Promise<void> {
  await pool.close();
}

function checkSpec({ isolation, config }: VmSpec): void {
  if (isolation !== 'none') {
    throw new PetriError(`qemu cannot make a VM of isolation type '${isolation}'`, {
      code: 'unsupported',
      step: 'launch',
      remedy: "it makes 'none'",
    });
  }
  const { minMemory = 0, maxMemory, maxVcpus } = limits;
  if (config.memory % (2 * MIB) !== 0 || config.memory < minMemory || config.memory > maxMemory) {
    throw invalid(
      `memory is ${config.memory} bytes`,
      `give a multiple of 2 MiB from ${minMemory / MIB} MiB to ${maxMemory / MIB} MiB`,
    );
  }
  if (config.vcpus > maxVcpus) throw invalid(`vcpus is ${config.vcpus}`, `the machine has ${maxVcpus} vCPU`);
}

function invalid(message: string, remedy: string): PetriError {
  return new PetriError(`qemu: ${message}`, { code: 'invalid-config', step: 'launch', remedy });
}
