import { petriTest, tmk } from 'petri-vm';

petriTest('cca', 'a realm boots a TMK in plane 1, and it says hello', {
  payload: tmk('hello'),
  expect: {
    serial: ['running test boot', /^hello world$/, 'test boot completed'],
    not: [/panic/i],
    halt: 'complete',
  },
});

petriTest(
  'cca',
  'a test waits for serial output and asserts on the halt',
  { payload: tmk('hello') },
  async ({ vm, expect }) => {
    await vm.serial.waitFor('hello world');
    expect(await vm.halted).toEqual({ reason: 'complete', success: true });
    expect(vm.serial.transcript).toBe('running test boot\nhello world\ntest boot completed\n');
    await expect(vm).not.toPrint(/panic/i);
  },
);

petriTest(
  'cca',
  'each boot of a VM begins from nothing',
  { payload: tmk('hello'), requires: ['reset'] },
  async ({ vm, expect }) => {
    const run = async (): Promise<unknown> => {
      await expect(vm).toHaltWith('complete');
      return { events: vm.tmk.events, instructions: vm.instructions };
    };
    const first = await run();
    await vm.reset();
    expect(await run()).toEqual(first);
    expect(vm.serial.transcript.match(/hello world/g)).toHaveLength(2);
  },
);

petriTest(
  'cca',
  'many VMs at once do not disturb each other',
  { payload: tmk('hello') },
  async ({ launch, expect }) => {
    const vms = await Promise.all(Array.from({ length: 8 }, () => launch()));
    const halts = await Promise.all(vms.map((vm) => vm.halted));
    expect(halts).toEqual(vms.map(() => ({ reason: 'complete', success: true })));
    expect(new Set(vms.map((vm) => vm.serial.transcript))).toEqual(
      new Set(['running test boot\nhello world\ntest boot completed\n']),
    );
  },
);

petriTest.for([
  { memory: '8M' },
  { memory: '2032M' },
  { planes: 3 },
  { ipaWidth: 40 },
  { ipaWidth: 48 },
  { measurementAlgorithm: 'sha-512' as const },
])(
  'cca',
  (row) => `a realm with ${JSON.stringify(row)} boots`,
  (row) => ({ ...row, payload: tmk('hello'), expect: { serial: ['hello world'], halt: 'complete' } }),
);
