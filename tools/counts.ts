/** Tests of a run, or of all of them, by how they ended. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notRun: number;
}

/** What verdicts-reporter.mjs writes at the end of a run of vitest. */
export interface RecordedRun {
  readonly tests: readonly RecordedTest[];
  /** What failed besides tests: files that could not be read, hooks of suites, errors that nobody handled. */
  readonly broken: readonly string[];
  /** Files whose tests nobody knows, since the run was ended before. */
  readonly unread: number;
}

export interface RecordedTest {
  readonly file: string;
  readonly name: string;
  readonly isolation?: string;
  readonly kind: 'passed' | 'failed' | 'skipped' | 'left out' | 'not run';
  readonly reason?: string;
  readonly cause?: string;
  /** Of a failed test: the first line of its first error. */
  readonly failure?: string;
}

/** How a test ended on one backend, as the table of verdicts.mjs shows it; `-` where it was not to run. */
export type Verdict = 'pass' | 'FAIL' | 'skip' | 'not run' | '-';

/** The table of verdicts.mjs. */
export interface VerdictTable {
  readonly rows: readonly { readonly verdicts: readonly Verdict[] }[];
  /** What failed besides tests, on any backend. */
  readonly broken: readonly string[];
}

/** One step of the check, which may have counted tests. */
export interface CheckStep {
  readonly ok: boolean;
  readonly counts?: Counts;
}

const nothing: Counts = { passed: 0, failed: 0, skipped: 0, notRun: 0 };

/** As vitest's own table counts, but for what did not come to run. Without a record vitest has not got as far. */
export function countRun(record: RecordedRun | undefined): Counts {
  const count = (...kinds: RecordedTest['kind'][]): number =>
    record?.tests.filter(({ kind }) => kinds.includes(kind)).length ?? 0;
  return {
    passed: count('passed'),
    failed: count('failed') + (record?.broken.length ?? 0),
    skipped: count('skipped', 'left out'),
    notRun: count('not run'),
  };
}

/** What the table shows, of every backend. */
export function countTable(table: VerdictTable | undefined): Counts {
  const verdicts = table?.rows.flatMap((row) => row.verdicts) ?? [];
  const count = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
  return {
    passed: count('pass'),
    failed: count('FAIL') + (table?.broken.length ?? 0),
    skipped: count('skip'),
    notRun: count('not run'),
  };
}

/** What a step comes to: one that failed has at least one failure, whatever was counted. */
export function countStep({ ok, counts = nothing }: CheckStep): Counts {
  return ok ? counts : { ...counts, failed: Math.max(1, counts.failed) };
}

export function sum(steps: readonly CheckStep[]): Counts {
  return steps.map(countStep).reduce(
    (total, counts) => ({
      passed: total.passed + counts.passed,
      failed: total.failed + counts.failed,
      skipped: total.skipped + counts.skipped,
      notRun: total.notRun + counts.notRun,
    }),
    nothing,
  );
}

/** Whether everything went well and there was something. */
export function isGood(steps: readonly CheckStep[]): boolean {
  const { passed, failed, notRun } = sum(steps);
  return passed > 0 && failed === 0 && notRun === 0;
}

/** What failed, a line each, for the end of a log of which only the end is kept. */
export function listFailures(record: RecordedRun | undefined): string[] {
  const tests = record?.tests.filter(({ kind }) => kind === 'failed') ?? [];
  return [
    ...tests.map(({ file, name, failure = 'nothing was reported of it' }) => `${file} > ${name}: ${failure}`),
    ...(record?.broken ?? []),
  ];
}

export function describeCounts({ passed, failed, skipped, notRun }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped${notRun === 0 ? '' : `, ${notRun} not run`}`;
}
