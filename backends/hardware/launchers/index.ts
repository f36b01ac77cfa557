import type { LauncherConfig } from '../hosts/schema.ts';
import { commandProgram } from './command.ts';
import { monitorQemu } from './monitor-qemu.ts';
import type { Program, ProgramContext } from './program.ts';
import { kvmtoolProgram, qemuGuestProgram } from './realm.ts';

export type { Program } from './program.ts';

/** @throws PetriError `payload-too-large`, `upload-failed`, `connection-failed`, `unsupported` */
export async function makeProgram(config: LauncherConfig, context: ProgramContext): Promise<Program> {
  switch (config.kind) {
    case 'command':
      return await commandProgram(config, context);
    case 'qemu':
      return 'kernel' in config ? await qemuGuestProgram(config, context) : await monitorQemu(config, context);
    case 'kvmtool':
      return await kvmtoolProgram(config, context);
  }
}
