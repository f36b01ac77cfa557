import { petriTest, tmk, type IsolationType } from 'petri-vm';

const isolationTypes: readonly IsolationType[] = ['cca', 'none'];

/** What the panic says of an exception that the runtime's vectors took. */
const exceptions = [
  { test: 'undefined', what: 'undefined instruction' },
  { test: 'supervisor_call', what: 'SVC #0x7' },
  { test: 'breakpoint', what: 'BRK #0x7' },
  { test: 'unaligned_read', what: 'data abort of a read, alignment fault' },
  { test: 'unaligned_pc', what: 'PC alignment fault', symbol: 'tmk_send' },
  { test: 'floating_point_trap', what: 'trapped SIMD or floating point' },
  { test: 'without_stack', what: 'SVC #0x7' },
  { test: 'exception_at_el0', what: 'SVC #0x7 at EL0' },
].map(({ symbol, ...rest }) => ({ ...rest, symbol: symbol ?? `test_${rest.test}` }));

const holes = [
  { test: 'null_read', message: /read of 4 bytes at \w+ 0x0,.*null pointer/ },
  { test: 'null_read_of_field', message: /read of 1 byte at \w+ 0xffff,.*null pointer/ },
  { test: 'null_write', message: /write of 8 bytes at \w+ 0x0,.*null pointer/ },
  { test: 'stack_overflow_of_large_frame', message: /the stack has overflowed/ },
  { test: 'stack_overflow_by_store', message: /the stack has overflowed: it ends 0x10 bytes above/ },
];

for (const isolation of isolationTypes) {
  petriTest.tmk(isolation, tmk('faults'));
  petriTest.tmk(isolation, tmk('holes'), { requires: ['memory.holes'] });
  petriTest.tmk(isolation, tmk('foreign'), { requires: ['memory.holes'] });

  petriTest.for(exceptions)(
    isolation,
    '$test is a panic that tells the exception, where it was taken, and FAR_EL1',
    ({ test }) => ({ payload: tmk('faults'), test }),
    async ({ what, symbol }, { vm, expect }) => {
      await expect(vm).toHaltWith({
        reason: 'panic',
        message: new RegExp(
          `^unexpected exception: ${what} at ELR_EL1 0x[0-9a-f]+ \\(${symbol}\\+0x[0-9a-f]+\\), FAR_EL1 0x[0-9a-f]+, ESR_EL1`,
        ),
      });
      await expect(vm).toPrint(new RegExp(`^panic: unexpected exception: ${what} at .*\\(${symbol}\\+`));
    },
  );

  petriTest.for(exceptions)(
    isolation,
    '$test of a TMK without vectors ends at the vector, and tells the exception',
    ({ test }) => ({ payload: tmk('foreign'), test, requires: ['memory.holes'] }),
    async ({ test, what, symbol }, { vm, expect }) => {
      const named = what.replace(/^data abort of a read, /, 'data abort: .*, ').replace(/ at EL0$/, '');
      await expect(vm).toHaltWith({
        reason: 'fault',
        registers: { pc: test === 'exception_at_el0' ? 0x400n : 0x200n },
        message: new RegExp(`vector of an exception that the guest took: ${named} at 0x[0-9a-f]+ \\(${symbol}\\+`),
      });
    },
  );

  for (const payload of ['holes', 'foreign']) {
    petriTest.for(holes)(
      isolation,
      `$test of ${payload} is a fault that says why`,
      ({ test }) => ({ payload: tmk(payload), test, requires: ['memory.holes'] }),
      async ({ test, message }, { vm, expect }) => {
        await expect(vm).toHaltWith({ reason: 'fault', message, symbol: { name: `test_${test}` } });
      },
    );
  }

  for (const payload of ['faults', 'foreign']) {
    petriTest(
      isolation,
      `deep recursion of ${payload} overflows the stack, and the fault says so`,
      { payload: tmk(payload), test: 'stack_overflow', requires: ['memory.holes'] },
      async ({ vm, expect }) => {
        await expect(vm).toHaltWith({
          reason: 'fault',
          message: /the stack has overflowed/,
          symbol: { name: 'recurse' },
        });
      },
    );
  }

  petriTest(
    isolation,
    'a stack that was used up is a panic though nothing faulted',
    { payload: tmk('faults'), test: 'stack_exhausted' },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith({ reason: 'panic', message: 'the test completed (the stack has overflowed)' });
    },
  );

  petriTest(
    isolation,
    'a fault of the exception handler is told with the exception that it handled',
    { payload: tmk('faults'), test: 'nested' },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith({
        reason: 'panic',
        message:
          /^exception in the handler of another: undefined instruction at ELR_EL1 0x[0-9a-f]+ \(tmk_stack_overflowed\+0x0\), FAR_EL1 .*; the first was SVC #0x7 at ELR_EL1 0x[0-9a-f]+ \(test_nested\+0x/,
      });
    },
  );

  petriTest(
    isolation,
    'a handler that cannot report anything ends in a fault',
    { payload: tmk('faults'), test: 'nested_twice' },
    async ({ vm, expect }) => {
      await expect(vm).toHaltWith('fault');
    },
  );
}
