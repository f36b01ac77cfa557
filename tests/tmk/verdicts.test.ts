import { petriTest, tmk, type IsolationType } from 'petri-vm';

const expectations = [
  { test: 'passes', verdict: 'pass', cause: /complete/ },
  { test: 'fails', verdict: 'fail', cause: /complete/ },
  { test: 'panics', verdict: 'fail', cause: /this is the end/ },
  { test: 'faults', verdict: 'fail', cause: /HVC/ },
  { test: 'fails_as_expected', verdict: 'pass', cause: /as expected/ },
  { test: 'panics_as_expected', verdict: 'pass', cause: /as expected: .*this is the end/ },
  { test: 'faults_as_expected', verdict: 'pass', cause: /as expected: .*HVC/ },
  { test: 'passes_unexpectedly', verdict: 'fail', cause: /unexpectedly passed/ },
] as const;

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest(
    isolation,
    'one VM runs all tests of a TMK, and judges each',
    { payload: tmk('verdicts') },
    async ({ vm, expect }) => {
      for (const { test, verdict, cause } of expectations) {
        expect(await vm.tmk.run(test)).toMatchObject({ test, verdict, cause: expect.stringMatching(cause) as string });
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
