import { PetriError } from '../../../petri/errors.ts';
import type { LauncherConfig } from '../hosts/schema.ts';
import { commandProgram } from './command.ts';
import { monitorQemu } from './monitor-qemu.ts';
import type { Program, ProgramContext } from './program.ts';

export type { Program } from './program.ts';

/** @throws PetriError `payload-too-large`, `upload-failed`, `connection-failed`, `unsupported` */
export async function makeProgram(config: LauncherConfig, context: ProgramContext): Promise<Program> {
  switch (config.kind) {
    case 'command':
      return await commandProgram(config, context);
    case 'qemu':
      if (!('kernel' in config)) return await monitorQemu(config, context);
      break;
    case 'kvmtool':
      break;
  }
  throw new PetriError(`the launcher ${config.kind} is not there yet`, { code: 'unsupported', step: 'launch' });
}
