import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { builtinBackends } from '../../../../backends/index.ts';
import type { Backend, TmkEvent, HaltReason, VmSpec, TmkTest } from '../../../../petri/contract/index.ts';
import { tmk } from '../../../../petri/payload/index.ts';
import { resolveVmConfig } from '../../../../petri/vm/index.ts';
import { EventConsole } from './event-console.ts';
import {
  debugRegisters,
  debugString,
  prettyEvent,
  type Fields,
  type Level,
  type PrettyOptions,
} from './pretty-format.ts';

/** What tmk_vmm is asked to run, and in which realm. */
export interface TmkRun {
  readonly folder: string;
  readonly file: string;
  readonly tests: readonly string[];
  readonly realm: { readonly megabytes: number; readonly algorithm: string; readonly rpv: string };
  readonly format: PrettyOptions;
  /** A tmk_vmm that knows no expected failures: every guest that fails is a test that failed. */
  readonly isOld: boolean;
}

export interface TmkOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Plane 1 of a run that goes on as long as its guest does. */
const NO_BUDGET = Number.MAX_SAFE_INTEGER;

type Say = (level: Level, target: string, message: string | undefined, fields?: Fields) => void;

/** `tmk_vmm --hv cca --tmk FILE TESTS…`, with the TMK in a simulated realm. @returns its exit code */
export async function runTmk(run: TmkRun, output: TmkOutput): Promise<number> {
  const say: Say = (level, target, message, fields) =>
    output.out(
      prettyEvent(
        { level, target, ...(message === undefined ? {} : { message }), ...(fields === undefined ? {} : { fields }) },
        new Date(),
        run.format,
      ),
    );
  const fail = (message: string): number => {
    output.err(`Error: ${message}\n`);
    return 1;
  };
  const path = join(run.folder, run.file);
  try {
    readFileSync(path);
  } catch {
    return fail(
      `failed to open tmk\n\nCaused by:\n    0: failed to open file \`${run.file}\`\n    1: No such file or directory (os error 2)`,
    );
  }
  const payload = tmk(path);
  const chosen: TmkTest[] = [];
  for (const name of run.tests) {
    const test = payload.image.tests.find((candidate) => candidate.name === name);
    if (test === undefined) return fail(`test ${name} not found`);
    chosen.push(test);
  }
  const backend = await simulatedRealm();
  let success = true;
  for (const test of chosen.length > 0 ? chosen : payload.image.tests) {
    say('INFO', 'test', 'test started', [['name', debugString(test.name)]]);
    const halt = await runOne({ backend, run, path, test, say, signal: output.signal });
    if (halt === undefined) return 130;
    success = report({ ...test, expectedFailure: test.expectedFailure && !run.isOld }, halt, say, run.isOld) && success;
  }
  return success ? 0 : fail('some tests failed');
}

async function simulatedRealm(): Promise<Backend> {
  const entry = builtinBackends['sim'];
  if (entry === undefined || !('load' in entry)) throw new Error('there is no simulated realm');
  return await entry.load();
}

/** One test in a realm of its own; undefined when it was interrupted. */
async function runOne(options: {
  readonly backend: Backend;
  readonly run: TmkRun;
  readonly path: string;
  readonly test: TmkTest;
  readonly say: Say;
  readonly signal: AbortSignal;
}): Promise<HaltReason | undefined> {
  const { backend, run, path, test, say, signal } = options;
  const { megabytes, algorithm, rpv } = run.realm;
  const console = new EventConsole((event) => sayEvent(event, say));
  const spec: VmSpec = {
    isolation: 'cca',
    payload: { ...tmk(path), name: basename(path), test: test.name },
    config: resolveVmConfig({
      memory: `${megabytes}M`,
      measurementAlgorithm: algorithm === 'sha512' ? 'sha-512' : 'sha-256',
      rpv,
      maxInstructions: NO_BUDGET,
    }),
    machine: 'fresh',
  };
  const refusal = backend.refuses?.(spec);
  if (refusal !== undefined) throw new Error(refusal);
  const runtime = await backend.launch(spec, {
    logDirectory: run.folder,
    signal,
    onEnd: (end) => signal.addEventListener('abort', () => end({ reason: 'stopped' }), { once: true }),
    openConsole: () => console,
    log: () => {},
  });
  try {
    const boot = await runtime.start({ testIndex: test.index });
    console.follow(boot.tmkEvents);
    const halt = await boot.halted;
    console.flush();
    return signal.aborted ? undefined : halt;
  } finally {
    await runtime.kill();
    console.dispose();
  }
}

function sayEvent(event: TmkEvent, say: Say): void {
  switch (event.kind) {
    case 'log':
      say('INFO', 'tmk', event.message);
      break;
    case 'panic':
      say('ERROR', 'tmk', undefined, [
        ...(event.file === '' ? [] : ([['location', debugString(`${event.file}:${event.line}`)]] as const)),
        ['panic', debugString(event.message)],
      ]);
      break;
    case 'rejected':
      say('ERROR', 'tmk_vmm::run', 'failed to handle command', [
        ['error', commandError(event.message)],
        ['p', '2151677952'],
      ]);
      break;
    case 'complete':
      break;
  }
}

/** The text of tmk_vmm's own error for a command that it cannot take. */
function commandError(message: string): string {
  if (message.includes('command block')) return 'failed to read command, error.sources: [out of range]';
  if (message.includes('UTF-8')) {
    return 'string not utf-8, error.sources: [invalid utf-8 sequence of 1 bytes from index 0]';
  }
  return /bytes at|longer than/.test(message) ? 'failed to read string, error.sources: [out of range]' : 'bad command';
}

/** @returns whether the test passes, which is not to say that its guest succeeded */
function report(test: TmkTest, halt: HaltReason, say: Say, isOld: boolean): boolean {
  const succeeded = halt.reason === 'complete' && halt.success;
  const name: Fields[number] = ['name', debugString(test.name)];
  const expected: Fields = test.expectedFailure ? [['expected_failure', 'true']] : [];
  if (succeeded) {
    if (test.expectedFailure) say('ERROR', 'test', 'test unexpectedly passed', [name, ...expected]);
    else say('INFO', 'test', 'test passed', [name]);
    return !test.expectedFailure;
  }
  const explicit = halt.reason === 'complete' || halt.reason === 'panic';
  const why: Fields = explicit ? [['reason', '"explicit failure"']] : fault(halt, say);
  if (test.expectedFailure) say('INFO', 'test', 'test passed', [name, ...expected, ...why]);
  else say(isOld ? 'INFO' : 'ERROR', 'test', 'test failed', [name, ...why]);
  return test.expectedFailure;
}

/** A VP that cannot go on reports what it was, and then stops as after a triple fault. */
function fault(halt: HaltReason, say: Say): Fields {
  const message = 'message' in halt ? halt.message : halt.reason;
  say('ERROR', 'tmk_vmm::run', 'fatal error', [['err', message]]);
  const registers = 'registers' in halt ? halt.registers : undefined;
  return [
    ['vp_index', '0'],
    ['reason', debugString('TripleFault { vtl: Vtl0 }')],
    ['regs', registers === undefined ? 'None' : debugRegisters(registers)],
  ];
}
