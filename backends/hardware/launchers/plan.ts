import type { SerialConsole } from '../../../petri/serial/index.ts';
import type { TmkPayload, LinuxPayload, VmSpec } from '../../../petri/contract/index.ts';
import type { LauncherConfig, MonitorQemuConfig } from '../hosts/schema.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import { makeProgram } from './index.ts';
import { linuxQemu } from './linux-qemu.ts';
import type { Program } from './program.ts';

/** Parameters of a boot. */
export interface BootContext {
  readonly home: HostFolder;
  readonly serial: SerialConsole;
  /** For other output of the launcher; absent if that is on the serial console. */
  readonly launcher: SerialConsole | undefined;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds in which a broken connection may be restored. */
  readonly reconnect: number;
}

/** How to boot a VM. */
export interface VmPlan {
  /** Kind of the launcher, for the record. */
  readonly launcher: string;
  /** Whether input of the serial console is sent to the launcher. */
  readonly takesInput: boolean;
  /** Whether the launcher's output has no console of its own. */
  readonly serialIsLauncher: boolean;
  readonly hasShell: boolean;
  /** @throws PetriError `payload-too-large`, `upload-failed`, `connection-failed`, `unsupported` */
  program(testIndex: number, context: BootContext): Promise<Program>;
}

export function tmkPlan(spec: VmSpec<TmkPayload>, launcher: LauncherConfig): VmPlan {
  const isPlain = launcher.kind === 'command' && launcher.output === 'exit-code';
  return {
    launcher: launcher.kind,
    takesInput: isPlain,
    serialIsLauncher: isPlain,
    hasShell: false,
    program: (testIndex, { serial, ...context }) =>
      makeProgram(launcher, {
        ...context,
        spec,
        testIndex,
        serial: (bytes) => {
          serial.push(bytes);
        },
      }),
  };
}

export function linuxPlan(spec: VmSpec<LinuxPayload>, launcher: MonitorQemuConfig): VmPlan {
  return {
    launcher: launcher.kind,
    takesInput: true,
    serialIsLauncher: true,
    hasShell: true,
    program: (_testIndex, context) => linuxQemu(launcher, { ...context, spec }),
  };
}
