import { beforeEach, describe, expect, it } from 'vitest';

import { ExceptionClass, RunExit } from '../types.ts';
import { TableRegime } from '../testing/table-regime.ts';
import {
  addImm,
  b,
  ELR_EL1,
  eret,
  ESR_EL1,
  FAR_EL1,
  hvc,
  ldrX,
  ldxrX,
  SPSR_EL1,
  strX,
  svc,
  TestMachine,
} from '../testing/test-machine.ts';
import { Access } from './regime.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const { Read, Write, Execute } = Access;
const READ_WRITE = Read | Write;
/** Virtual addresses; they differ from the IPAs. */
const V_CODE = 0x4000_0000;
const V_DATA = 0x5000_0000;
const V_VECTORS = 0x6000_0000;
const VBAR_EL1 = 0xc600;

let machine: TestMachine;
let regime: TableRegime;
beforeEach(() => {
  machine = new TestMachine({ regime: (stage2) => (regime = new TableRegime(stage2)) });
  regime.map(V_CODE, CODE);
  regime.map(V_DATA, DATA, READ_WRITE, READ_WRITE);
  regime.map(V_DATA + 4096, DATA + 4096, READ_WRITE, READ_WRITE);
  regime.map(V_VECTORS, VECTORS, 0, Read | Execute);
  machine.context.setSysreg(VBAR_EL1, BigInt(V_VECTORS));
  machine.context.setX(1, BigInt(V_DATA));
  machine.context.pc = BigInt(V_CODE);
});

function run(): void {
  expect(machine.vcpu.run(100_000)).toBe(RunExit.Sync);
}

/** Runs to the HVC of a vector. @returns the fields of ESR_EL1, and FAR_EL1 */
function faultAtEl1(vector: number): { ec: number; status: number; far: bigint | undefined } {
  run();
  expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.Hvc64, esr: 0x5a00_0000 | vector });
  const esr = Number(machine.context.sysreg(ESR_EL1));
  return { ec: esr >>> 26, status: esr & 0x3f, far: machine.context.sysreg(FAR_EL1) };
}

/** Has the machine continue at an address at EL0. */
function enterEl0(pc: number): void {
  machine.context.pstate = 0;
  machine.context.pc = BigInt(pc);
}

describe('stage 1', () => {
  it('translates fetches, loads and stores', () => {
    machine.load([strX(2, 1), ldrX(3, 1), hvc(1)]);
    machine.context.setX(2, 77n);
    run();
    expect(machine.context.x(3)).toBe(77n);
    expect(machine.memory.view.getBigUint64(machine.offset(DATA), true)).toBe(77n);
    expect(machine.context.pc).toBe(BigInt(V_CODE + 12));
  });

  it('reports its faults to EL1, with the virtual address', () => {
    machine.context.setX(1, BigInt(V_DATA + 3 * 4096 + 8));
    machine.load([ldrX(3, 1)]);
    expect(faultAtEl1(0x200)).toEqual({
      ec: ExceptionClass.DataAbortSame,
      status: 0x07,
      far: BigInt(V_DATA + 3 * 4096 + 8),
    });
    machine.context.pc = BigInt(V_CODE + 5 * 4096);
    expect(faultAtEl1(0x200)).toEqual({
      ec: ExceptionClass.InstructionAbortSame,
      status: 0x07,
      far: BigInt(V_CODE + 5 * 4096),
    });
  });

  it('leaves stage 2 faults to EL2, with the VA and the IPA', () => {
    regime.map(V_DATA, 0x9_0000, READ_WRITE, READ_WRITE);
    machine.context.setX(1, BigInt(V_DATA + 0x10));
    machine.load([strX(3, 1)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: 0x9_0010, write: true });
    const { view } = machine.memory;
    expect(view.getBigUint64(machine.vcpu.el2.far, true)).toBe(BigInt(V_DATA + 0x10));
    expect(view.getBigUint64(machine.vcpu.el2.hpfar, true)).toBe(0x900n);
    regime.map(V_CODE + 4096, 0xa_0000);
    machine.context.pc = BigInt(V_CODE + 4096 + 8);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.InstructionAbortLower, ipa: 0xa_0008 });
    expect(view.getBigUint64(machine.vcpu.el2.far, true)).toBe(BigInt(V_CODE + 4096 + 8));
  });

  it('permits misaligned accesses to Normal memory, except exclusives', () => {
    machine.context.setX(1, BigInt(V_DATA + 4096 - 3));
    machine.context.setX(2, 0x1122_3344_5566_7788n);
    machine.load([strX(2, 1), ldrX(3, 1), hvc(1)]);
    run();
    expect(machine.context.x(3)).toBe(0x1122_3344_5566_7788n);
    expect(machine.memory.u8[machine.offset(DATA + 4096)]).toBe(0x55);
    machine.load([ldxrX(3, 1)]);
    machine.context.pc = BigInt(V_CODE);
    expect(faultAtEl1(0x200)).toMatchObject({ ec: ExceptionClass.DataAbortSame, status: 0x21 });
  });
});

describe('the Exception level', () => {
  it('separates data TLB entries: EL0 may not read what EL1 has just read', () => {
    regime.map(V_DATA, DATA, 0, READ_WRITE);
    machine.load([ldrX(3, 1), eret, ldrX(4, 1)]);
    machine.context.setSysreg(ELR_EL1, BigInt(V_CODE + 8));
    machine.context.setSysreg(SPSR_EL1, 0n);
    expect(faultAtEl1(0x400)).toEqual({ ec: ExceptionClass.DataAbortLower, status: 0x0f, far: BigInt(V_DATA) });
    // EL1 still has access.
    machine.context.pc = BigInt(V_CODE);
    machine.load([ldrX(3, 1), hvc(5)]);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(5);
  });

  it('separates data TLB entries: EL1 may not write what EL0 has just written', () => {
    regime.map(V_DATA, DATA, READ_WRITE, Read);
    machine.write(VECTORS + 0x400, [strX(2, 1)]);
    machine.load([strX(2, 1), svc(0)]);
    machine.context.setX(2, 5n);
    enterEl0(V_CODE);
    expect(faultAtEl1(0x200)).toEqual({ ec: ExceptionClass.DataAbortSame, status: 0x0f, far: BigInt(V_DATA) });
    expect(machine.memory.view.getBigUint64(machine.offset(DATA), true)).toBe(5n);
  });

  it('separates instruction TLB entries', () => {
    regime.map(V_CODE, CODE, Read, Read | Execute);
    machine.load([addImm(5, 5, 1), eret]);
    machine.context.setSysreg(ELR_EL1, BigInt(V_CODE));
    machine.context.setSysreg(SPSR_EL1, 0n);
    expect(faultAtEl1(0x400)).toEqual({ ec: ExceptionClass.InstructionAbortLower, status: 0x0f, far: BigInt(V_CODE) });
    expect(machine.context.x(5)).toBe(1n);
  });

  it('changes without flushing the TLB entries of the other level', () => {
    let walks = 0;
    machine = new TestMachine({
      regime: (stage2) => {
        regime = new TableRegime(stage2);
        const counted = regime;
        return { translate: (va, access, el) => ((walks += 1), counted.translate(va, access, el)) };
      },
    });
    regime.map(V_CODE, CODE);
    regime.map(V_VECTORS, VECTORS, 0, Read | Execute);
    regime.map(V_DATA, DATA, READ_WRITE, READ_WRITE);
    machine.context.setSysreg(VBAR_EL1, BigInt(V_VECTORS));
    machine.context.setX(1, BigInt(V_DATA));
    machine.write(VECTORS + 0x400, [ldrX(2, 1), hvc(9), eret]);
    machine.load([ldrX(2, 1), svc(0), b(-8)]);
    enterEl0(V_CODE);
    run();
    run();
    const warm = walks;
    for (let round = 0; round < 10; round += 1) run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(9);
    expect(walks).toBe(warm);
  });
});
