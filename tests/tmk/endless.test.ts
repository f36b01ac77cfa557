import { petriTest, tmk, type IsolationType } from 'petri-vm';

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];
for (const isolation of isolationTypes) {
  petriTest.for([
    { test: 'spin', symbol: 'spin_for_ever' },
    { test: 'branch_to_self', symbol: 'branch_to_self' },
    { test: 'exception_loop', symbol: 'exception_loop_vectors' },
  ])(
    isolation,
    'the instruction budget ends $test and says where it was',
    ({ test }) => ({ payload: tmk('loop'), test, maxInstructions: 300_000, requires: ['instruction-budget'] }),
    async ({ symbol }, { vm, expect }) => {
      await expect(vm).toHaltWith({
        reason: 'budget',
        message: /budget of 300000 instructions/,
        symbol: { name: symbol },
      });
    },
  );

  petriTest(
    isolation,
    'the instruction budget ends a run at the same instruction every time',
    { payload: tmk('loop'), test: 'log_for_ever', maxInstructions: 200_000, requires: ['instruction-budget', 'reset'] },
    async ({ vm, expect }) => {
      const run = async (): Promise<unknown> => {
        const halt = await vm.halted;
        return { halt, instructions: vm.instructions, events: vm.tmk.events.length };
      };
      const first = await run();
      await vm.reset();
      expect(await run()).toEqual(first);
    },
  );

  petriTest(
    isolation,
    'the time-out of a wait counts what the guest does, and ends it at the same line every time',
    { payload: tmk('loop'), test: 'log_for_ever', requires: ['instruction-budget', 'reset'] },
    async ({ vm, expect }) => {
      const waitInVain = async (): Promise<number> => {
        await expect(vm.serial.waitFor('never', { timeout: 2 })).rejects.toThrow(
          /within 2 ms of the time of its guest/,
        );
        return vm.tmk.events.length;
      };
      const lines = await waitInVain();
      await vm.reset();
      expect(await waitInVain()).toBe(lines);
    },
  );

  petriTest(
    isolation,
    'many VMs at once end as each does alone',
    { payload: tmk('hello'), memory: '64M', requires: ['instruction-budget'] },
    async ({ launch, expect }) => {
      const loops = { payload: tmk('loop'), test: 'spin', maxInstructions: 1_000_000 };
      const vms = await Promise.all(Array.from({ length: 40 }, (_, n) => launch(n % 10 === 0 ? loops : {})));
      const halts = await Promise.all(vms.map((vm) => vm.halted));
      expect(halts.map(({ reason }) => reason)).toEqual(vms.map((_, n) => (n % 10 === 0 ? 'budget' : 'complete')));
      expect(new Set(vms.filter((_, n) => n % 10 !== 0).map((vm) => vm.instructions)).size).toBe(1);
    },
  );

  petriTest(
    isolation,
    'a guest that loops does not keep the test from running, and stop ends it',
    { payload: tmk('loop'), test: 'spin' },
    async ({ vm, expect }) => {
      await vm.serial.waitFor('spinning');
      // Timers fire while the guest spins.
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(vm.haltReason).toBeUndefined();
      await vm.stop();
      expect(await vm.halted).toEqual({ reason: 'stopped' });
    },
  );

  petriTest(
    isolation,
    'the deadline of a test ends a guest and says where it was',
    { payload: tmk('loop'), test: 'spin', timeout: 10_000, requires: ['inspect.registers'] },
    async ({ launch, expect }) => {
      const vm = await launch();
      await vm.serial.waitFor('spinning');
      // Some way into the loop: the line is out before the guest has returned from printing it.
      const printed = vm.instructions;
      if (printed !== undefined)
        await expect.poll(() => vm.instructions, { timeout: 60_000 }).toBeGreaterThan(printed + 10_000);
      await vm.expire('the deadline passed');
      await expect(vm).toHaltWith({
        reason: 'timeout',
        // Where instructions are not counted, it may be on its way into the loop still.
        message: /the deadline passed; it was at 0x[0-9a-f]+ \(\w+\+/,
        ...(printed === undefined ? {} : { symbol: { name: 'spin_for_ever' } }),
      });
    },
  );

  petriTest(
    isolation,
    'kill ends a VM, and once is as good as twice',
    { payload: tmk('loop'), test: 'spin' },
    async ({ vm, expect }) => {
      await vm.serial.waitFor('spinning');
      await Promise.all([vm.kill(), vm.kill()]);
      expect(await vm.halted).toEqual({ reason: 'stopped' });
      await expect(vm.reset()).rejects.toMatchObject({ code: 'vm-closed' });
    },
  );
}
