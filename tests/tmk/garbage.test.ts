import { petriTest, tmk, type IsolationType } from 'petri-vm';

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest.for([
    { test: 'bad_discriminants', rejected: 8, reason: /unknown command/ },
    { test: 'bad_bools', rejected: 254, reason: /a bool is 0 or 1/ },
    { test: 'bad_command_pointers', rejected: 10, reason: /outside of RAM/ },
    { test: 'bad_string_pointers', rejected: 30, reason: /outside of RAM/ },
    { test: 'bad_lengths', rejected: 33, reason: /longer than|outside of RAM/ },
    { test: 'bad_utf8', rejected: 8, reason: /not valid UTF-8/ },
  ])(
    isolation,
    'commands of $test are rejected, each with its reason, and change nothing',
    ({ test }) => ({ payload: tmk('garbage'), test, requires: ['tmk.rejections'] }),
    async ({ rejected, reason }, { vm, expect }) => {
      await expect(vm).toHaltWith('complete');
      const messages = vm.tmk.events.flatMap((event) => (event.kind === 'rejected' ? [event.message] : []));
      expect(messages).toHaveLength(rejected);
      for (const message of messages) expect(message).toMatch(reason);
      await expect(vm).toPrint(/^still here after /);
    },
  );

  petriTest(
    isolation,
    'twenty thousand random commands are survived, and remembered as far as there is room',
    { payload: tmk('garbage'), test: 'random_blocks', requires: ['tmk.rejections'] },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith('complete');
      expect(vm.tmk.events.length).toBeGreaterThan(5000);
      expect(vm.tmk.events.length).toBeLessThan(20_000);
      expect(vm.tmk.events.at(-1)).toEqual({ kind: 'complete', success: true });
    },
  );
}
