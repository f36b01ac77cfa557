import { petriTest, tmk } from 'petri-vm';

petriTest.tmk('cca', tmk('exits'));
petriTest.tmk('cca', tmk('mmio'));

petriTest.for([
  {
    test: 'aarch64::instruction_abort_outside_par',
    ipa: 0xffff_0000_0000n,
    message: /IPA 0xffff00000000, outside of PAR/,
  },
  { test: 'aarch64::instruction_abort_ripas_empty', ipa: 0n, message: /IPA 0x0, RIPAS is EMPTY/ },
  {
    test: 'aarch64::instruction_abort_permissions_enabled',
    ipa: 0x847f_f000n,
    message: /IPA 0x847ff000, permission fault.*; the link register is 0x[0-9a-f]+ \(expect_instruction_abort\+/,
  },
])(
  'cca',
  '$test ends for its architectural reason',
  ({ test }) => ({ payload: tmk('simple'), test, requires: ['inspect.exits'] }),
  async ({ ipa, message }, { vm, expect }) => {
    await expect(vm).toHaltWith({ reason: 'fault', message, exit: { ec: 0x20, ipa }, registers: { pc: ipa } });
    await expect(vm).not.toPrint(/panic|completed/);
  },
);

petriTest.for([
  { test: 'hvc', ec: 0x16, message: /HVC #0x1234/, symbol: 'test_hvc' },
  { test: 'system_off', ec: 0x16, message: /HVC #0x0/, symbol: 'test_system_off' },
  { test: 'load_pair', ec: 0x24, message: /ISV=0/, symbol: 'test_load_pair' },
  { test: 'load_simd', ec: 0x24, message: /ISV=0/, symbol: 'test_load_simd' },
  { test: 'atomic_add', ec: 0x24, message: /ISV=0/, symbol: 'test_atomic_add' },
])(
  'cca',
  '$test is a fault that says where, and why nothing could be done',
  ({ test }) => ({ payload: tmk('exits'), test, requires: ['inspect.exits'] }),
  async ({ ec, message, symbol }, { vm, expect }) => {
    await expect(vm).toHaltWith({ reason: 'fault', message, exit: { ec }, symbol: { name: symbol } });
  },
);

petriTest.for([
  {
    test: 'undefined_without_vectors',
    message: /undefined instruction at 0x[0-9a-f]+ \(test_undefined_without_vectors\+/,
  },
  { test: 'brk_without_vectors', message: /BRK #0x1 at 0x[0-9a-f]+ \(test_brk_without_vectors\+/ },
  { test: 'svc_without_vectors', message: /SVC #0x1 at 0x[0-9a-f]+ \(test_svc_without_vectors\+/ },
])('cca', '$test ends at a vector that is not there, and says which exception it was', ({ test, message }) => ({
  payload: tmk('exits'),
  test,
  requires: ['inspect.exits'],
  expect: { halt: { reason: 'fault', message } },
}));

petriTest(
  'cca',
  'an SMC of plane 1 is passed over',
  { payload: tmk('exits'), test: 'smc', requires: ['inspect.exits'] },
  async ({ vm, expect }) => {
    await expect(vm).toPrint('still running');
    await expect(vm).toHaltWith('complete');
    expect(vm.plane(1).exits.filter((exit) => exit.ec === 0x17)).toHaveLength(1);
  },
);
