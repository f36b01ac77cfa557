import type { SerialConsole } from '../../../petri/serial/index.ts';
import type { VmSpec, TmkTest, TmkPayload } from '../../../petri/contract/index.ts';
import type { Guest } from '../guests/guest.ts';
import type { TemplateValues } from '../hosts/template.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import type { LaunchOptions } from '../remote/launch.ts';

/** The program to run on a host for one boot of a VM, and the interpreter of its output. */
export interface Program {
  readonly guest: Guest;
  readonly argv: LaunchOptions['argv'];
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: boolean;
  readonly input?: { readonly path: string; readonly size: number };
}

export interface ProgramContext {
  readonly spec: VmSpec<TmkPayload>;
  readonly testIndex: number;
  readonly home: HostFolder;
  /** Receives the guest's output. */
  readonly serial: (bytes: Uint8Array) => void;
  /** For other output of the launcher; absent if that is on the serial console. */
  readonly launcher: SerialConsole | undefined;
  readonly log: (message: string) => void;
  /** Milliseconds in which a broken connection may be restored. */
  readonly reconnect: number;
  readonly signal: AbortSignal;
}

export type ProgramMaker<Config> = (config: Config, context: ProgramContext) => Promise<Program>;

/** The test to run. */
export function testOf({ payload }: VmSpec<TmkPayload>, testIndex: number): TmkTest {
  const test = payload.image.tests[testIndex];
  if (test === undefined) throw new RangeError(`the payload ${payload.name} has no test ${String(testIndex)}`);
  return test;
}

export function templateValues(
  { config, payload }: VmSpec<TmkPayload>,
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
