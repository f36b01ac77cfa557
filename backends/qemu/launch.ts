import {
  type LaunchContext,
  type VmRuntime,
  type LinuxPayload,
  type TmkPayload,
  boots,
  tmkSpec,
  type VmSpec,
  cannotIsolate,
} from '../../petri/contract/index.ts';
import { resolveVmConfig } from '../../petri/vm/index.ts';
import { closeRealms, launchRealm } from './cca/launch.ts';
import { debuggerRequest } from './debugger.ts';
import { LinuxVm } from './linux-vm.ts';
import { MachinePool } from './machine-pool.ts';
import { MonitorMachine } from './monitor-machine.ts';
import { monitorPath, qemuCommand } from './probe.ts';
import { TmkVm } from './tmk-vm.ts';

const pool = new MachinePool();

/**
 * @throws PetriError `unsupported`, `payload-too-large`, `stack-missing`, `stack-invalid`, and what starting QEMU
 * throws
 */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  if (boots(spec, 'linux')) return await launchLinux(spec, context);
  return await launchTmk(tmkSpec('qemu', spec), context);
}

async function launchTmk(spec: VmSpec<TmkPayload>, context: LaunchContext): Promise<VmRuntime> {
  if (spec.isolation === 'cca') return launchRealm(spec, context, qemuCommand());
  if (spec.isolation !== 'none') throw cannotIsolate('qemu', spec.isolation, "it makes 'none' and 'cca'");
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

async function launchLinux(spec: VmSpec<LinuxPayload>, context: LaunchContext): Promise<VmRuntime> {
  if (spec.isolation !== 'none') throw cannotIsolate('qemu', spec.isolation, "it boots Linux in VMs of 'none'");
  const command = qemuCommand();
  return await LinuxVm.launch({ spec, context, command, facts: { qemu: command, accelerator: 'tcg' } });
}

/**
 * Starts the machine for the first VM of default size. If that fails, the launch of that VM reports it.
 */
export async function prepare(): Promise<void> {
  try {
    const { memory } = resolveVmConfig();
    pool.release(await MonitorMachine.start({ command: qemuCommand(), monitor: monitorPath(), memory }));
  } catch {
    return;
  }
}

/** Ends idle machines, and the machine with realms. */
export async function close(): Promise<void> {
  await Promise.all([pool.close(), closeRealms()]);
}
