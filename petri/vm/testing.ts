import {
  type Backend,
  type BootRequest,
  type LaunchContext,
  type ProbeResult,
  type TmkEvent,
  type VmRuntime,
  type Feature,
  type HaltReason,
  type IsolationType,
  tmkSpec,
  type VmSpec,
  type TmkPayload,
  type TmkTest,
} from '../contract/index.ts';
import type { ElfFile } from '../elf/index.ts';
import type { SerialConsole } from '../serial/index.ts';
import { resolveVmConfig } from './config.ts';

/** For a test of a backend that takes the framework's part. */
export { VmEnd } from './vm-end.ts';

/** What a scripted guest can do. */
export interface GuestDesk {
  readonly test: TmkTest;
  readonly context: LaunchContext;
  readonly serial: SerialConsole;
  readonly print: (text: string) => void;
  readonly tell: (event: TmkEvent) => void;
  readonly halt: (reason: HaltReason) => void;
}

export type GuestScript = (desk: GuestDesk) => void;

export interface ScriptedBackend extends Backend {
  /** Everything that was asked of it, in order. */
  readonly calls: string[];
}

export interface ScriptedOptions {
  readonly isolation?: Partial<Record<IsolationType, readonly Feature[]>>;
  readonly maxMemory?: number;
  /** Whether a VM ends when its signal aborts or it is asked to stop; one that does not is a backend that hangs. */
  readonly obedient?: boolean;
  readonly onLaunch?: (context: LaunchContext) => void;
}

/** A stand-in for a backend: its guests are functions. */
export function scriptedBackend(script: GuestScript, options: ScriptedOptions = {}): ScriptedBackend {
  const calls: string[] = [];
  const probe: ProbeResult = {
    available: true,
    isolation: options.isolation ?? {
      cca: ['tmk', 'tmk.events', 'reset', 'serial.write'],
      none: ['tmk', 'tmk.events'],
    },
    limits: { maxMemory: options.maxMemory ?? 2 ** 40, maxVcpus: 8, maxPlanes: 3 },
    facts: {},
  };
  return {
    name: 'scripted',
    description: 'guests that are functions',
    calls,
    probe: async () => probe,
    launch: async (anySpec, context) => {
      const spec = tmkSpec('scripted', anySpec);
      calls.push('launch');
      options.onLaunch?.(context);
      const serial = context.openConsole('serial', (bytes) => calls.push(`typed ${Buffer.from(bytes).toString()}`));
      return scriptedRuntime(script, { spec, context, serial, calls, obedient: options.obedient ?? true });
    },
  };
}

interface RuntimeParts {
  readonly spec: VmSpec<TmkPayload>;
  readonly context: LaunchContext;
  readonly serial: SerialConsole;
  readonly calls: string[];
  readonly obedient: boolean;
}

function scriptedRuntime(script: GuestScript, { spec, context, serial, calls, obedient }: RuntimeParts): VmRuntime {
  let end: (reason: HaltReason) => void = () => undefined;
  context.onEnd((why) => {
    calls.push(`end ${why.reason}`);
    if (obedient) end({ reason: 'stopped' });
  });
  return {
    planes: [],
    start: async ({ testIndex }: BootRequest) => {
      calls.push(`start ${testIndex}`);
      end({ reason: 'stopped' });
      const tmkEvents: TmkEvent[] = [];
      const halted = new Promise<HaltReason>((resolve) => {
        end = resolve;
      });
      const test = spec.payload.image.tests[testIndex];
      if (test === undefined) throw new Error(`no test ${testIndex}`);
      const halt = end;
      setImmediate(() =>
        script({
          test,
          context,
          serial,
          print: (text) => serial.push(new TextEncoder().encode(text)),
          tell: (event) => tmkEvents.push(event),
          halt,
        }),
      );
      return { halted, tmkEvents };
    },
    stop: async () => {
      calls.push('stop');
      if (obedient) end({ reason: 'stopped' });
    },
    kill: async () => {
      calls.push('kill');
      if (obedient) end({ reason: 'stopped' });
    },
  };
}

/** A guest that logs a greeting, completes with success and halts. */
export const greeter: GuestScript = ({ test, print, tell, halt }) => {
  print(`running test ${test.name}\nhello from ${test.name}\n`);
  tell({ kind: 'log', message: `running test ${test.name}` });
  tell({ kind: 'log', message: `hello from ${test.name}` });
  tell({ kind: 'complete', success: true });
  halt({ reason: 'complete', success: true });
};

/** A TMK that only has names. Nothing that looks into its file can use it. */
export function namedTmk(...tests: readonly (string | Partial<TmkTest>)[]): TmkPayload {
  const image = {
    tests: tests.map((test, index) => ({
      index,
      name: `test${index}`,
      expectedFailure: false,
      linuxOnly: false,
      ...(typeof test === 'string' ? { name: test } : test),
    })),
    segments: [],
    entry: 0,
    span: { start: 0, end: 0 },
    symbolAt: () => undefined,
  };
  // A real one needs a real file; the scripted backend reads names alone.
  const elf = {} as ElfFile;
  return { kind: 'tmk', name: 'named', path: '/named.elf', elf, image };
}

export function specFor(payload: TmkPayload, isolation: IsolationType = 'cca'): VmSpec<TmkPayload> {
  return { isolation, payload, config: resolveVmConfig(), machine: 'shared' };
}
