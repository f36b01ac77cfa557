import { petriTest, tmk } from 'petri-vm';

petriTest('none', 'a TMK runs in a VM without isolation', {
  payload: tmk('hello'),
  expect: { serial: ['running test boot', 'hello world', 'test boot completed'], halt: 'complete' },
});

petriTest('none', 'PSCI SYSTEM_OFF ends a plain VM', {
  payload: tmk('exits'),
  test: 'system_off',
  expect: { halt: 'power-off' },
});

petriTest('none', 'PSCI SYSTEM_RESET ends a plain VM', {
  payload: tmk('exits'),
  test: 'system_reset',
  expect: { halt: 'reset' },
});

petriTest(
  'none',
  'a fault tells the registers and the symbol',
  { payload: tmk('exits'), test: 'hvc', requires: ['inspect.registers'] },
  async ({ vm, expect }) => {
    await expect(vm).toHaltWith({ reason: 'fault', message: /HVC #0x1234/, symbol: { name: 'test_hvc' } });
    expect(vm.registers().x[0]).toBe(0xc600_fff0n);
    expect(() => vm.registers(1)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    expect(() => vm.realm).toThrow(expect.objectContaining({ code: 'unsupported' }));
  },
);
