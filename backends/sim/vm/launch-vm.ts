import { type LaunchContext, type VmRuntime, tmkSpec, type VmSpec } from '../../../petri/contract/index.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import { guestKind } from '../guests/index.ts';
import { SimVm } from './sim-vm.ts';

/** @throws PetriError `unsupported`, `payload-too-large`, `rmi-failed` */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  const { isolation, payload, config } = tmkSpec('sim', spec);
  const kind = guestKind(isolation);
  const guests = await kind.load();
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
