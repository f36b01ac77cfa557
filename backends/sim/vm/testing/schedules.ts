import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { tmk } from '../../../../petri/payload/index.ts';
import { type Observed, ObservedVm, type VmCase } from './observed-vm.ts';
import { Random } from './random.ts';

type CaseOptions = Partial<Pick<VmCase, 'isolation' | 'memory' | 'maxInstructions'>>;

function vmCase(payload: string, test: string, options: CaseOptions = {}): () => VmCase {
  return () => {
    const loaded = tmk(payload);
    const index = loaded.image.tests.find(({ name }) => name === test)?.index;
    if (index === undefined) throw new RangeError(`${payload} has no test ${test}`);
    return {
      payload: loaded,
      testIndex: index,
      isolation: 'cca',
      memory: '64M',
      maxInstructions: 400_000,
      ...options,
    };
  };
}

/** The VMs of schedules. Each uses instructions that are rare in the others. */
const cases: readonly (() => VmCase)[] = [
  vmCase('selftest', 'sha256_of_abc'),
  vmCase('selftest', 'recursion', { isolation: 'none' }),
  vmCase('simd', 'double_vector', { maxInstructions: 300_007 }),
  vmCase('exceptions', 'floating_point_trap', { memory: '512M' }),
  vmCase('selftest', 'matrix_inverse', { memory: '512M' }),
  vmCase('loop', 'exception_loop', { maxInstructions: 50_001 }),
  vmCase('mmio', 'thousand_reads', { isolation: 'none' }),
  vmCase('simd', 'saturating', { isolation: 'none', maxInstructions: 250_011 }),
  vmCase('garbage', 'strange_strings'),
  vmCase('selftest', 'multiply_and_divide', { isolation: 'none', memory: '512M', maxInstructions: 123_457 }),
  // The rest is only for long runs.
  vmCase('selftest', 'exclusives'),
  vmCase('selftest', 'mandelbrot_set', { maxInstructions: 700_001 }),
  vmCase('selftest', 'crc_of_123456789', { isolation: 'none' }),
  vmCase('selftest', 'bytecode', { memory: '32M' }),
  vmCase('selftest', 'sorting', { isolation: 'none' }),
  vmCase('selftest', 'atomics', { isolation: 'none', memory: '512M' }),
  vmCase('simd', 'single_convert', { memory: '512M' }),
  vmCase('simd', 'permutes_and_moves', { isolation: 'none' }),
  vmCase('exceptions', 'el0_and_back', { isolation: 'none' }),
  vmCase('exceptions', 'counter'),
  vmCase('mmu', 'remaps'),
  vmCase('mmu', 'address_spaces', { isolation: 'none' }),
  vmCase('interrupts', 'timers_in_a_loop', { isolation: 'none' }),
  vmCase('interrupts', 'virtual_timer_in_wfi', { isolation: 'none', memory: '32M' }),
  vmCase('exits', 'read_of_unprotected'),
  vmCase('exits', 'execute_other_plane', { isolation: 'none' }),
  vmCase('loop', 'spin', { isolation: 'none', maxInstructions: 200_003 }),
  vmCase('loop', 'log_for_ever', { maxInstructions: 20_001 }),
  vmCase('flood', 'log_every_length', { isolation: 'none' }),
  vmCase('hello', 'boot', { memory: '2032M' }),
];

export const caseCount = cases.length;
/** Number of cases, from the first on, in a short run. */
export const SHORT = 10;

function theCase(index: number): VmCase {
  const make = cases[index];
  if (make === undefined) throw new RangeError(`there is no case ${index}`);
  return make();
}

/** Runs one case alone, in slices by the clock. */
export async function runAlone(index: number): Promise<Observed> {
  const vm = await ObservedVm.make(theCase(index), () => performance.now());
  while (vm.runSlice());
  const observed = await vm.observe();
  vm.end();
  return observed;
}

/** Runs one case in a fresh process. */
export async function runAloneInFreshProcess(index: number): Promise<Observed> {
  // Safe: the script prints what `runAlone` returned.
  return (await freshProcess(['alone', index])) as Observed;
}

/** Runs schedules in a fresh process, in which machines share nothing yet. */
export async function runSchedulesInFreshProcess(
  seed: number,
  count: number,
  alone: readonly Observed[],
): Promise<ScheduleResult> {
  // Safe: the script prints what `runSchedules` returned.
  return (await freshProcess(['schedules', seed, count], JSON.stringify(alone))) as ScheduleResult;
}

async function freshProcess(args: readonly (string | number)[], input = ''): Promise<unknown> {
  const script = fileURLToPath(new URL('fresh-process.mjs', import.meta.url));
  const running = promisify(execFile)(process.execPath, [script, ...args.map(String)], { maxBuffer: 2 ** 28 });
  running.child.stdin?.end(input);
  return JSON.parse((await running).stdout);
}

/** A VM whose result in a schedule differs from its result alone. */
export interface Difference {
  readonly seed: number;
  readonly case: number;
  readonly alone: Observed;
  readonly here: Observed;
}

export interface ScheduleResult {
  readonly differences: readonly Difference[];
  /** VMs that ran to their end. */
  readonly ended: number;
}

const MOST_CASES = 3;
const MOST_VMS = 7;
/** Steps of the clock between two readings, in milliseconds: within a slice, beyond its end, a busy host. */
const STEPS = [0, 0.01, 0.1, 0.2, 0.6, 3, 40] as const;

/**
 * Runs some VMs in one thread, in an order and in slices chosen by a seed: one after another or concurrently, on used
 * or new machines, some of them ended early.
 *
 * @param alone result of each case alone; a schedule uses the cases that are listed
 * @returns the differences from these results
 */
async function runSchedule(seed: number, alone: readonly Observed[]): Promise<ScheduleResult> {
  const random = new Random(seed);
  for (let round = 0; round < 8; round += 1) random.next();
  const below = (bound: number): number => random.next() % bound;
  let time = 0;
  const now = (): number => (time += STEPS[below(STEPS.length)] ?? 0);
  const chosen = Array.from({ length: 1 + below(MOST_CASES) }, () => below(alone.length));
  let toLaunch = 2 + below(MOST_VMS - 1);
  const atOnce = 1 + below(toLaunch);
  // All VMs that may run concurrently start together, or each at a random time.
  const oneIn = below(2) === 0 ? 1 : 8;
  const running: { readonly index: number; readonly vm: ObservedVm; left: number }[] = [];
  const differences: Difference[] = [];
  let ended = 0;
  while (toLaunch > 0 || running.length > 0) {
    if (toLaunch > 0 && running.length < atOnce && (running.length === 0 || below(oneIn) === 0)) {
      const index = chosen[below(chosen.length)] ?? 0;
      // One VM in five is ended after a few slices.
      const left = below(5) === 0 ? below(40) : Infinity;
      running.push({ index, vm: await ObservedVm.make(theCase(index), now), left });
      toLaunch -= 1;
      if (oneIn === 1) continue;
    }
    // Often the first VMs run for long while others wait.
    const at = below(2) === 0 ? 0 : below(running.length);
    const turn = running[at];
    if (turn === undefined) continue;
    const goesOn = turn.vm.runSlice();
    turn.left -= 1;
    if (goesOn && turn.left > 0) continue;
    running.splice(at, 1);
    const expected = alone[turn.index];
    if (!goesOn && expected !== undefined) {
      ended += 1;
      const here = await turn.vm.observe();
      if (JSON.stringify(here) !== JSON.stringify(expected)) {
        differences.push({ seed, case: turn.index, alone: expected, here });
      }
    }
    turn.vm.end();
  }
  return { differences, ended };
}

/** Runs the schedules of consecutive seeds. */
export async function runSchedules(
  firstSeed: number,
  count: number,
  alone: readonly Observed[],
): Promise<ScheduleResult> {
  const results = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) results.push(await runSchedule(seed, alone));
  return {
    differences: results.flatMap(({ differences }) => differences),
    ended: results.reduce((sum, { ended }) => sum + ended, 0),
  };
}
