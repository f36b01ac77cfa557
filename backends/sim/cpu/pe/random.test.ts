import { expect, it } from 'vitest';
import { hvc, mrs, TestMachine } from '../testing/test-machine.ts';
import { sysreg } from './system-registers.ts';

/** X0 to X3 after reads of RNDR and RNDRRS, at an Exception level. */
function numbers(machine: TestMachine, el: 0 | 1): bigint[] {
  machine.write(TestMachine.VECTORS + 0x400, [hvc(4)]);
  machine.context.pstate = (0xf000_03c0 | (el === 1 ? 5 : 0)) >>> 0;
  machine.load([...[0, 1].map((n) => mrs(n, sysreg.RNDR)), ...[2, 3].map((n) => mrs(n, sysreg.RNDRRS)), hvc(0)]);
  machine.context.pc = BigInt(TestMachine.CODE);
  machine.vcpu.run(1_000_000);
  if (el === 1) expect(machine.context.pstate >>> 28).toBe(0);
  return [0, 1, 2, 3].map((n) => machine.context.x(n));
}

it('RNDR and RNDRRS give other numbers each time, and the same in each machine', () => {
  const [first, second] = [new TestMachine(), new TestMachine()];
  const drawn = [...numbers(first, 1), ...numbers(first, 0)];
  expect(new Set(drawn).size).toBe(8);
  expect([...numbers(second, 1), ...numbers(second, 0)]).toEqual(drawn);
  first.cpu.recycle();
  expect(first.cpu.random()).toBe(drawn[0]);
});
