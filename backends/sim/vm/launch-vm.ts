import { boots, type LaunchContext, type VmRuntime, tmkSpec, type VmSpec } from '../../../petri/contract/index.ts';
import type { TmkPayload } from '../../../petri/contract/index.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import { tmkKind } from '../guests/index.ts';
import { LinuxVm } from './linux-vm.ts';
import { SimVm } from './sim-vm.ts';

/** @throws PetriError `unsupported`, `payload-too-large`, `rmi-failed`, `image-invalid` */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  if (boots(spec, 'linux') && spec.isolation === 'none') return await LinuxVm.launch(spec, context);
  return await launchTmk(tmkSpec('sim', spec), context);
}

async function launchTmk({ isolation, payload, config }: VmSpec<TmkPayload>, context: LaunchContext): Promise<SimVm> {
  const guests = await tmkKind(isolation).load();
  const serial = context.openConsole('serial');
  const listener: TmkListener = {
    print: (bytes) => serial.push(bytes),
    log: (message) => context.log(message),
  };
  return new SimVm({
    makeGuest: () => guests.make(payload, config, listener),
    maxInstructions: config.maxInstructions,
    context,
  });
}
