import { join } from 'node:path';

import pc from 'picocolors';

import { coverageVariable, debuggerVariable, traceVariable } from '../../debugging.ts';
import { PetriError } from '../../errors.ts';
import { findTest, type TmkResult } from '../../tmk/index.ts';
import { tmk } from '../../payload/index.ts';
import type { Feature, IsolationType, TmkPayload, TmkTest } from '../../contract/index.ts';
import { runInterruptible } from '../../kit/process/index.ts';
import { harmlessLine, print } from '../../text/index.ts';
import { VM_TEST_TIMEOUT } from '../../vitest/index.ts';
import { paceOf, stretched } from '../../run/index.ts';
import { launchVm, resolveVmConfig, type Vm } from '../../vm/index.ts';
import { type Bench, openBench } from '../bench.ts';
import { printInTurn } from '../output.ts';
import { Progress } from '../progress.ts';
import type { TmkCommandOptions } from './options.ts';
import { type FinishedTest, reportSkipped, reportSummary, reportTest } from './report.ts';

/** Milliseconds for a test if instructions are not counted. */
const UNCOUNTED_TIMEOUT = 30_000;

/** @see tmkOptions */
export interface TmkRunOptions extends TmkCommandOptions {
  /** Shows the stages of a boot, without the consoles. */
  readonly stages?: boolean;
}

/** Where and how the tests of this command run. */
interface TmkBench extends Bench {
  readonly timeout: number;
  readonly options: TmkRunOptions;
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal;
}

/**
 * `petri tmk run`: runs the tests of payloads, each in a VM of its own, shows their output as it arrives and then the
 * verdict. The exit code tells whether all of them passed.
 *
 * @throws PetriError of `tmk` and the backend, `invalid-option`
 */
export async function runTmks(names: readonly string[], options: TmkRunOptions): Promise<void> {
  if (names.length === 0) {
    throw new PetriError('petri tmk run needs the name of a payload or the path of an ELF file', {
      code: 'invalid-option',
      step: 'options',
      remedy: 'petri tmk list shows the payloads',
    });
  }
  if (options.gdb !== undefined) process.env[debuggerVariable] = options.gdb;
  if (options.trace === true) process.env[traceVariable] = '1';
  if (options.guestCoverage === true) process.env[coverageVariable] = '1';
  const payloads = names.map((name) => tmk(name));
  const tests = payloads.map((payload) => chosenTests(payload, options.test));
  const bench = await prepare(options);
  await runInterruptible(async (signal) => {
    try {
      await runAll(payloads, tests, { ...bench, signal });
    } finally {
      // Machines that a backend keeps for the next VM would keep this process alive.
      await bench.selected.backend.close?.();
    }
  });
}

async function runAll(
  payloads: readonly TmkPayload[],
  tests: readonly (readonly TmkTest[])[],
  bench: TmkBench,
): Promise<void> {
  const { options } = bench;
  const finished: FinishedTest[] = [];
  let skipped = 0;
  const started = performance.now();
  for (const [index, payload] of payloads.entries()) {
    print(title(payload, bench));
    for (const test of tests[index] ?? []) {
      // An ordinary VM has no plane 0.
      if (test.linuxOnly && bench.isolation === 'none' && options.test === undefined) {
        skipped++;
        print(reportSkipped(test, 'for monitors on Linux; isolation none has none'));
        continue;
      }
      if (test.expectedFailure && !featuresOf(bench).includes('tmk.events')) {
        skipped++;
        const { backend } = bench.selected;
        print(reportSkipped(test, `backend '${backend.name}' cannot say whether it was reached: no tmk.events`));
        continue;
      }
      const done = await runTest(payload, test, bench);
      bench.signal?.throwIfAborted();
      finished.push(done);
      print(reportTest(done, options.exits === true));
    }
  }
  print(reportSummary(finished, skipped, performance.now() - started, bench.directory));
  if (finished.some(({ result }) => result.verdict === 'fail')) process.exitCode = 1;
}

function chosenTests(payload: TmkPayload, name: string | undefined): readonly TmkTest[] {
  return name === undefined ? payload.image.tests : [findTest(payload.image, payload.name, name)];
}

async function prepare(options: TmkRunOptions): Promise<TmkBench> {
  const bench = await openBench(options, 'cca');
  const { backend, probe } = bench.selected;
  await backend.prepare?.();
  const timeout = stretched(
    options.timeout === undefined ? defaultTimeout(probe, bench.isolation) : options.timeout * 1000,
    paceOf(probe.pace, bench.isolation),
  );
  return { ...bench, timeout, options };
}

/** If instructions are counted, the budget should end a guest that hangs. */
function defaultTimeout(probe: Bench['selected']['probe'], isolation: IsolationType): number {
  return probe.isolation[isolation]?.includes('instruction-budget') === true ? VM_TEST_TIMEOUT : UNCOUNTED_TIMEOUT;
}

function title(payload: TmkPayload, { selected, isolation }: TmkBench): string {
  return `${pc.bold(payload.name)} ${pc.dim(`on ${selected.backend.name}, isolation ${isolation}`)}\n`;
}

function featuresOf({ selected, isolation }: TmkBench): readonly Feature[] {
  return selected.probe.isolation[isolation] ?? [];
}

async function runTest(payload: TmkPayload, test: TmkTest, bench: TmkBench): Promise<FinishedTest> {
  const { selected, isolation, timeout, options } = bench;
  const started = performance.now();
  const pace = paceOf(selected.probe.pace, isolation);
  let doing = '';
  const progress = new Progress(() => {
    const seconds = Math.round((performance.now() - started) / 1000);
    const count = vm.instructions === undefined ? '' : `, ${vm.instructions.toLocaleString('en')} instructions`;
    return `${test.name}: ${seconds} s${count}${doing}`;
  });
  const onLog = (message: string): void => {
    doing = `; ${message}`;
    if (options.verbose !== true && options.stages !== true) return;
    progress.clear();
    print(pc.dim(`  ${time(started)} ${harmlessLine(message)}`) + '\n');
  };
  const vm = await launchVm(
    selected.backend,
    { isolation, payload: { ...payload, test: test.name }, config: resolveVmConfig(), machine: 'shared' },
    {
      directory: join(bench.directory, folderName(payload.name), folderName(`${test.index}-${test.name}`)),
      features: featuresOf(bench),
      limits: selected.probe.limits,
      deadline: timeout,
      signal: bench.signal,
      runLimit: pace === undefined ? undefined : timeout - pace.boot,
      test: test.name,
      onLog,
    },
  );
  try {
    const running = vm.tmk.run(test.name);
    const [result] = await Promise.all([
      running,
      options.quiet === true ? undefined : show(vm, running, progress),
      options.verbose === true ? showOthers(vm, running, progress) : undefined,
    ]);
    return { test, result, milliseconds: performance.now() - started, ...observed(vm) };
  } finally {
    progress.stop();
    await vm.dispose();
  }
}

/** The VM's data for the report, which must be read before the VM ends. */
function observed(vm: Vm): Pick<FinishedTest, 'instructions' | 'planes'> {
  const planes = vm.features.includes('inspect.exits')
    ? vm.planes.flatMap((plane) =>
        plane === undefined ? [] : [{ index: plane.index, exitCount: plane.exitCount, exits: [...plane.exits] }],
      )
    : [];
  return { planes, ...(vm.instructions === undefined ? {} : { instructions: vm.instructions }) };
}

/** Prints the default console as it arrives, until it closes. */
async function show(vm: Vm, running: Promise<TmkResult>, progress: Progress): Promise<void> {
  // If the VM cannot be booted, no console closes: `running` reports it.
  const ended = new AbortController();
  running.catch(() => ended.abort());
  try {
    for await (const line of vm.serial.lines({ signal: ended.signal })) {
      progress.clear();
      await printInTurn(`  ${pc.dim('|')} ${harmlessLine(line)}\n`);
    }
  } catch (error) {
    if (ended.signal.aborted) return;
    if (!(error instanceof PetriError && error.code === 'console-incomplete')) throw error;
    print(`  ${error.message}\n  the rest of what the test prints is not shown\n`);
  }
}

/** Prints every other console as it arrives, each line with its name, until the test has ended. */
async function showOthers(vm: Vm, running: Promise<TmkResult>, progress: Progress): Promise<void> {
  const ended = new AbortController();
  const stop = (): void => ended.abort();
  running.then(stop, stop);
  const others = [...vm.consoles.values()].filter((console) => console !== vm.serial);
  await Promise.all(
    others.map(async (console) => {
      try {
        for await (const line of console.lines({ signal: ended.signal })) {
          progress.clear();
          await printInTurn(pc.dim(`  ${console.name} | ${harmlessLine(line)}`) + '\n');
        }
      } catch (error) {
        if (!ended.signal.aborted && !(error instanceof PetriError && error.code === 'console-incomplete')) throw error;
      }
    }),
  );
}

/** Seconds since a start, as a column: '  12.3 s'. */
function time(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s`;
}

function folderName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(-80);
}
