import type { LaunchContext, VmRuntime } from '../../petri/backend.ts';
import { PetriError } from '../../petri/errors.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { HardwareVm } from './hardware-vm.ts';
import { launcherFor, openLab, runTags } from './lab.ts';

/** @throws PetriError `unsupported`, `wait-timeout`, `lease-lost`, and what connecting throws */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  const wanted = { isolation: spec.isolation, tags: [...runTags(), ...(spec.hostTags ?? [])] };
  const use = await openLab().use(wanted, {
    signal: context.signal,
    onWait: (why) => {
      context.log(why);
    },
  });
  try {
    const launcher = launcherFor(use.machine.config, spec.isolation);
    if (launcher === undefined) {
      throw new PetriError(`${use.machine.name} makes no VMs of isolation type '${spec.isolation}'`, {
        code: 'unsupported',
        step: 'launch',
      });
    }
    context.log(`${use.machine.name} is ours: ${use.lease.file ?? use.machine.config.lease.kind}`);
    return await HardwareVm.launch(spec, context, use, launcher);
  } catch (error) {
    await use.release();
    throw error;
  }
}
