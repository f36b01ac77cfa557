import {
  type LaunchContext,
  type VmRuntime,
  boots,
  tmkSpec,
  type VmSpec,
  type TmkPayload,
  type LinuxPayload,
} from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { HardwareVm } from './hardware-vm.ts';
import type { HostConfig } from './hosts/schema.ts';
import { launcherFor, linuxLauncherFor, openLab, runTags } from './lab.ts';
import { linuxPlan, tmkPlan, type VmPlan } from './launchers/plan.ts';

/** @throws PetriError `unsupported`, `wait-timeout`, `lease-lost`, and what connecting throws */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  if (boots(spec, 'linux')) return await launchLinux(spec, context);
  return await launchTmk(tmkSpec('hardware', spec), context);
}

async function launchTmk(spec: VmSpec<TmkPayload>, context: LaunchContext): Promise<VmRuntime> {
  return await launchOn(spec, context, (host) => {
    const launcher = launcherFor(host, spec.isolation);
    return launcher === undefined ? undefined : tmkPlan(spec, launcher);
  });
}

async function launchLinux(spec: VmSpec<LinuxPayload>, context: LaunchContext): Promise<VmRuntime> {
  return await launchOn(spec, context, (host) => {
    const launcher = linuxLauncherFor(host, spec.isolation);
    return launcher === undefined ? undefined : linuxPlan(spec, launcher);
  });
}

/** @param planFor returns undefined for a host that cannot make such a VM */
async function launchOn(
  { isolation, hostTags = [], payload }: VmSpec<TmkPayload | LinuxPayload>,
  context: LaunchContext,
  planFor: (host: HostConfig) => VmPlan | undefined,
): Promise<VmRuntime> {
  const wanted = { isolation, payload: payload.kind, tags: [...runTags(), ...hostTags] };
  const use = await openLab().use(wanted, {
    signal: context.signal,
    onWait: (why) => {
      context.log(why);
    },
  });
  try {
    const plan = planFor(use.machine.config);
    if (plan === undefined) {
      throw new PetriError(`${use.machine.name} makes no VMs of isolation type '${isolation}' for this payload`, {
        code: 'unsupported',
        step: 'launch',
      });
    }
    context.log(`${use.machine.name} is ours: ${use.lease.file ?? use.machine.config.lease.kind}`);
    return await HardwareVm.launch(plan, context, use);
  } catch (error) {
    await use.release();
    throw error;
  }
}
