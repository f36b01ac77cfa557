import type { VmSpec } from '../../../petri/vm/spec.ts';
import type { Guest } from '../guests/guest.ts';
import type { TemplateValues } from '../hosts/template.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import type { LaunchOptions } from '../remote/launch.ts';

/** What to run on a host for one boot of a VM, and who understands what it prints. */
export interface Program {
  readonly guest: Guest;
  readonly argv: LaunchOptions['argv'];
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly input?: { readonly path: string; readonly size: number };
}

export interface ProgramContext {
  readonly spec: VmSpec;
  readonly testIndex: number;
  readonly home: HostFolder;
  /** Takes what the guest prints. */
  readonly serial: (bytes: Uint8Array) => void;
  /** Takes what the launcher prints besides. */
  readonly launcher: (bytes: Uint8Array) => void;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

export type ProgramMaker<Config> = (config: Config, context: ProgramContext) => Promise<Program>;

export function templateValues(
  { config, payload }: VmSpec,
  testIndex: number,
  { payload: path, folder }: { readonly payload: string; readonly folder: string },
): TemplateValues {
  return {
    payload: path,
    test: payload.image.tests[testIndex]?.name ?? '',
    index: String(testIndex),
    folder,
    memory: String(config.memory),
    memoryMiB: String(config.memory / 2 ** 20),
    vcpus: String(config.vcpus),
  };
}
