import { petriTest, tmk, type HaltKind, type IsolationType } from 'petri-vm';

const expectations: readonly {
  readonly test: string;
  readonly verdict: 'pass' | 'fail';
  readonly halt: HaltKind;
  readonly cause?: RegExp;
}[] = [
  { test: 'passes', verdict: 'pass', halt: 'complete' },
  { test: 'fails', verdict: 'fail', halt: 'complete' },
  { test: 'panics', verdict: 'fail', halt: 'panic', cause: /this is the end/ },
  { test: 'faults', verdict: 'fail', halt: 'fault' },
  { test: 'fails_as_expected', verdict: 'pass', halt: 'complete', cause: /as expected/ },
  { test: 'panics_as_expected', verdict: 'pass', halt: 'panic', cause: /as expected: .*this is the end/ },
  { test: 'faults_as_expected', verdict: 'pass', halt: 'fault', cause: /as expected: / },
  { test: 'passes_unexpectedly', verdict: 'fail', halt: 'complete', cause: /unexpectedly passed/ },
];

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest(
    isolation,
    'one VM runs all tests of a TMK, and judges each',
    { payload: tmk('verdicts'), requires: ['reset'] },
    async ({ vm, expect }) => {
      for (const { test, verdict, halt, cause = /./ } of expectations) {
        const result = await vm.tmk.run(test);
        expect(result).toMatchObject({ test, verdict, cause: expect.stringMatching(cause) as string });
        expect(result.halt.reason).toBe(halt);
      }
    },
  );

  petriTest(
    isolation,
    'a panic tells its message and place',
    { payload: tmk('panic'), test: 'panic' },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith({
        reason: 'panic',
        message: 'something went wrong: 42 of these',
        location: /payloads\/panic\.c:\d+/,
      });
      await expect(vm).toPrint(/^panic: something went wrong: 42 of these \(.*panic\.c:\d+\)$/);
    },
  );
}
