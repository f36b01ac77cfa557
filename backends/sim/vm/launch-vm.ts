import {
  boots,
  type ImagePayload,
  type LaunchContext,
  type TmkPayload,
  tmkSpec,
  type VmRuntime,
  type VmSpec,
} from '../../../petri/contract/index.ts';
import { observationRequest } from '../../../petri/debugging.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import { debuggingOf, Observation } from '../debug/index.ts';
import { imageKind, tmkKind } from '../guests/index.ts';
import { BoardVm } from './board-vm.ts';
import { LinuxVm } from './linux-vm.ts';
import { SimVm } from './sim-vm.ts';

/**
 * @throws PetriError `unsupported`, `payload-too-large`, `rmi-failed`, `image-invalid`; `invalid-option` for a wrong
 *   `$PETRI_GDB`, `$PETRI_TRACE` or `$PETRI_GUEST_COVERAGE`
 */
export async function launch(spec: VmSpec, context: LaunchContext): Promise<VmRuntime> {
  if (spec.isolation === 'none') {
    if (boots(spec, 'linux')) return await LinuxVm.launch(spec, context);
    if (boots(spec, 'image')) return await launchImage(spec, context);
  }
  return await launchTmk(tmkSpec('sim', spec), context);
}

async function launchImage({ payload, config }: VmSpec<ImagePayload>, context: LaunchContext): Promise<BoardVm> {
  const boards = await imageKind.load();
  return new BoardVm({
    config,
    context,
    debugging: debuggingOf(payload.elf === undefined ? undefined : payload.path, (message) => context.log(message)),
    make: boards.prepare(payload, config, ''),
    resume: (state, listener) => boards.resume(payload, config, state, listener),
  });
}

async function launchTmk({ isolation, payload, config }: VmSpec<TmkPayload>, context: LaunchContext): Promise<SimVm> {
  const guests = await tmkKind(isolation).load();
  const serial = context.openConsole('serial');
  const listener: TmkListener = {
    print: (bytes) => serial.push(bytes),
    log: (message) => context.log(message),
  };
  const observing = observationRequest();
  const observed = observing && {
    request: observing,
    payload,
    directory: context.logDirectory,
    limit: config.consoleLimit,
    log: listener.log,
  };
  return new SimVm({
    makeGuest: (heard) => guests.make(payload, config, heard),
    listener,
    observation: observed && new Observation(observed),
    debugging: debuggingOf(payload.path, listener.log),
    maxInstructions: config.maxInstructions,
    context,
  });
}
