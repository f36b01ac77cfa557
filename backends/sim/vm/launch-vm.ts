import type { LaunchContext, VmRuntime } from '../../../petri/backend.ts';
import { PetriError } from '../../../petri/errors.ts';
import { PayloadLocator } from '../../../petri/payload/payload-locator.ts';
import type { TmkListener } from '../../../petri/payload/tmk-channel.ts';
import type { VmSpec } from '../../../petri/vm/spec.ts';
import { checkConfig, type Guest, PlainGuest, RealmGuest } from '../guests/index.ts';
import { SimVm } from './sim-vm.ts';

/** @throws PetriError `unsupported`, `invalid-config`, `payload-too-large`, `rmi-failed` */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  checkConfig(spec.isolation, spec.config);
  const serial = context.openConsole('serial');
  const listener: TmkListener = {
    print: (bytes) => serial.push(bytes),
    log: (message) => context.log(message),
  };
  const makeGuest = guestMaker(spec, listener);
  const { loadBase } = spec.isolation === 'cca' ? RealmGuest : PlainGuest;
  return new SimVm({
    makeGuest,
    locator: new PayloadLocator(spec.payload.image, loadBase),
    maxInstructions: spec.config.maxInstructions,
    signal: context.signal,
  });
}

function guestMaker({ isolation, payload, config }: VmSpec, listener: TmkListener): () => Guest {
  switch (isolation) {
    case 'cca':
      return () => new RealmGuest(payload, config, listener);
    case 'none':
      return () => new PlainGuest(payload, config.memory, listener);
    default:
      throw new PetriError(`sim cannot make a VM of isolation type '${isolation}'`, {
        code: 'unsupported',
        step: 'launch',
        remedy: "it makes 'cca' and 'none'",
      });
  }
}
