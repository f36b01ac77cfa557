import type { SerialConsole } from '../../../petri/serial/index.ts';
import type { TmkPayload, LinuxPayload, VmSpec } from '../../../petri/contract/index.ts';
import type { LauncherConfig, MonitorQemuConfig } from '../hosts/schema.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import { makeProgram } from './index.ts';
import { linuxQemu } from './linux-qemu.ts';
import type { Program } from './program.ts';

/** What a boot is given of its VM. */
export interface BootContext {
  readonly home: HostFolder;
  readonly serial: SerialConsole;
  /** For what the launcher prints besides; absent where that is on the serial console. */
  readonly launcher: SerialConsole | undefined;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds in which a broken connection is made again. */
  readonly reconnect: number;
}

/** How the boots of a VM are made. */
export interface VmPlan {
  /** Its kind, for the record. */
  readonly launcher: string;
  /** Whether what is typed on the serial console goes to the launcher. */
  readonly takesInput: boolean;
  /** Whether the launcher has no console besides that. */
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
