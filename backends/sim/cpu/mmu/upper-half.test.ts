import { beforeEach, describe, expect, it } from 'vitest';

import { Record, RECORD_REGION } from '../layout.ts';
import { TableRegime } from '../testing/table-regime.ts';
import {
  addImm,
  adr,
  adrp,
  b,
  bCond,
  bl,
  blr,
  br,
  ELR_EL1,
  eret,
  ESR_EL1,
  FAR_EL1,
  hvc,
  ldrLiteral,
  ldrX,
  movz,
  nop,
  ret,
  SPSR_EL1,
  stpX,
  strX,
  subsImm,
  svc,
  TestMachine,
} from '../testing/test-machine.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { ExceptionClass, RunExit } from '../types.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const VBAR_EL1 = 0xc600;
const NE = 1;

/** Addresses of TTBR1: the start of Linux's direct map, the middle of the half, and the last pages. */
const BASES = [0xffff_8000_0000_0000n, 0xffff_ffc0_1234_5000n, 0xffff_ffff_ffff_0000n] as const;

let machine: TestMachine;
let regime: TableRegime;

describe.each(BASES)('at 0x%x', (base) => {
  const code = base;
  const data = base + 0x4000n;
  const vectors = base + 0x8000n;
  const number = (address: bigint): number => Number(BigInt.asIntN(64, address));

  beforeEach(() => {
    machine = new TestMachine({ regime: (stage2) => (regime = new TableRegime(stage2)) });
    const map = (va: bigint, ipa: number): void => {
      regime.map(number(va), ipa);
    };
    map(code, CODE);
    map(code + 0x1000n, CODE + 0x1000);
    map(data, DATA);
    map(data + 0x1000n, DATA + 0x1000);
    map(vectors, VECTORS);
    machine.context.setSysreg(VBAR_EL1, vectors);
    machine.context.setX(1, data);
    machine.context.pc = code;
  });

  /** Runs to an HVC. @returns its immediate */
  function run(): number {
    expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    return machine.vcpu.exit.esr & 0xffff;
  }

  it('computes PC-relative addresses', () => {
    machine.load([adr(2, 16), adrp(3, 0x4000), ldrLiteral(4, 8), hvc(1), 0x1234_5678, 0x9abc_def0]);
    expect(run()).toBe(1);
    expect(machine.context.x(2)).toBe(code + 16n);
    expect(machine.context.x(3)).toBe(code + 0x4000n);
    expect(machine.context.x(4)).toBe(0x9abc_def0_1234_5678n);
    expect(machine.context.pc).toBe(code + 16n);
  });

  it('branches within a page, across pages and to registers, and returns', () => {
    machine.load([bl(0x1000), b(8), hvc(9), adr(5, 12), blr(5), hvc(2), addImm(6, 6, 1), ret]);
    machine.write(CODE + 0x1000, [addImm(7, 30, 0), ret]);
    expect(run()).toBe(2);
    expect(machine.context.x(7)).toBe(code + 4n);
    expect(machine.context.x(30)).toBe(code + 20n);
    expect(machine.context.x(6)).toBe(1n);
  });

  it('falls through to the next page', () => {
    machine.write(CODE + 0xffc, [movz(2, 1), movz(3, 2), hvc(3)]);
    machine.load([b(0xffc)]);
    expect(run()).toBe(3);
    expect([machine.context.x(2), machine.context.x(3), machine.context.pc]).toEqual([1n, 2n, code + 0x1008n]);
  });

  it('loads and stores, also across pages', () => {
    machine.context.setX(1, data + 0xff8n);
    machine.context.setX(2, 5n);
    machine.context.setX(3, 6n);
    machine.load([stpX(2, 3, 1), ldrX(4, 1, 8), hvc(0)]);
    run();
    expect(machine.context.x(4)).toBe(6n);
    expect(machine.memory.view.getBigUint64(machine.offset(DATA + 0x1000), true)).toBe(6n);
  });

  it('gives the same result in both tiers', () => {
    machine.load([
      movz(0, 0xffff),
      bl(0x1000 - 4),
      ldrX(4, 1),
      addImm(4, 4, 1),
      strX(4, 1),
      subsImm(0, 0, 1),
      bCond(NE, -20),
      hvc(4),
    ]);
    machine.write(CODE + 0x1000, [adr(8, 0), addImm(9, 9, 1), ret]);
    while (machine.vcpu.run(100_000) === RunExit.Budget);
    expect(machine.vcpu.exit.esr & 0xffff).toBe(4);
    expect(machine.vcpu.retired).toBe(1 + 0xffff * 9 + 1);
    expect(machine.context.x(4)).toBe(0xffffn);
    expect(machine.context.x(8)).toBe(code + 0x1000n);
    expect(machine.context.x(30)).toBe(code + 8n);
    const handlers = Array.from(
      { length: 8 },
      (_, n) => machine.memory.u16[(RECORD_REGION + n * Record.Bytes) >> 1] ?? 0,
    );
    expect(handlers.some(isBlock)).toBe(true);
  });

  it('takes exceptions there and returns', () => {
    machine.write(VECTORS + 0x200, [addImm(9, 9, 1), eret]);
    machine.load([svc(7), hvc(5)]);
    expect(run()).toBe(5);
    expect(machine.context.x(9)).toBe(1n);
    expect(machine.context.sysreg(ELR_EL1)).toBe(code + 4n);
    machine.context.setSysreg(ELR_EL1, code + 0x40n);
    machine.context.setSysreg(SPSR_EL1, 0n);
    machine.write(VECTORS + 0x400, [hvc(6)]);
    machine.write(CODE + 0x40, [svc(1)]);
    machine.load([eret]);
    machine.context.pc = code;
    expect(run()).toBe(6);
    expect(machine.context.sysreg(ELR_EL1)).toBe(code + 0x44n);
  });

  it('reports all bits of a faulting address', () => {
    const hole = data + 0x2000n + 0x18n;
    machine.context.setX(1, hole);
    machine.load([nop, ldrX(4, 1)]);
    expect(run()).toBe(0x200);
    expect(machine.context.sysreg(FAR_EL1)).toBe(hole);
    expect(machine.context.sysreg(ELR_EL1)).toBe(code + 4n);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.DataAbortSame);
    machine.context.setX(2, hole);
    machine.load([br(2)]);
    machine.context.pc = code;
    expect(run()).toBe(0x200);
    expect([machine.context.sysreg(FAR_EL1), machine.context.sysreg(ELR_EL1)]).toEqual([hole, hole]);
    machine.context.setX(2, hole + 2n);
    machine.context.pc = code;
    expect(run()).toBe(0x200);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.PcAlignment);
    expect(machine.context.sysreg(FAR_EL1)).toBe(hole + 2n);
  });

  it('reports all bits of the address of a stage 2 fault and of an undefined instruction', () => {
    regime.map(number(data), 0x9_0000);
    const seen: bigint[] = [];
    machine.cpu.onUndefined = (_word, pc) => seen.push(pc);
    machine.load([strX(4, 1, 8)]);
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: 0x9_0008 });
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.far, true)).toBe(data + 8n);
    machine.load([0x0000_beef]);
    expect(run()).toBe(0x200);
    expect(seen).toEqual([code]);
  });

  it('keeps frame records that lead to every caller', () => {
    // Each function pushes X29 and X30 and sets X29 to the frame record (AAPCS64, 6.4.6).
    const push = 0xa9bf_7bfd; // STP X29, X30, [SP, #-16]!
    const frame = addImm(29, 31, 0);
    machine.load([addImm(31, 1, 0), movz(29, 0), push, frame, bl(0x40 - 16), hvc(9)]);
    machine.write(CODE + 0x40, [push, frame, bl(0x1000 - 0x48)]);
    machine.write(CODE + 0x1000, [push, frame, hvc(8)]);
    machine.context.setX(1, data + 0x1000n);
    machine.context.setX(30, 0n);
    expect(run()).toBe(8);
    const callers: bigint[] = [];
    const word = (address: bigint): bigint =>
      machine.memory.view.getBigUint64(machine.offset(DATA + Number(address - data)), true);
    for (let at = machine.context.x(29); at !== 0n; at = word(at)) callers.push(word(at + 8n));
    expect(callers).toEqual([code + 0x4cn, code + 20n, 0n]);
  });
});

it('wraps from the last address to the first', () => {
  machine = new TestMachine({ regime: (stage2) => (regime = new TableRegime(stage2)) });
  regime.map(-4096, CODE);
  regime.map(0, CODE + 4096);
  machine.write(CODE + 4092, [movz(2, 7), bl(8), hvc(2), addImm(3, 30, 0), b(-20)]);
  machine.write(CODE + 4088, [hvc(1)]);
  machine.context.pc = 0xffff_ffff_ffff_fffcn;
  expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
  expect(machine.vcpu.exit.esr & 0xffff).toBe(1);
  expect([machine.context.x(2), machine.context.x(3)]).toEqual([7n, 4n]);
  expect(machine.context.pc).toBe(0xffff_ffff_ffff_fffcn);
});

it('faults on an address in neither half, and reports all of its bits', () => {
  machine = new TestMachine({ regime: (stage2) => (regime = new TableRegime(stage2)) });
  regime.map(0x1000, CODE);
  regime.map(0x8000, VECTORS);
  machine.context.setSysreg(VBAR_EL1, 0x8000n);
  for (const address of [0x0123_4567_89ab_cdefn, 0x8000_0000_0000_0001n, 0xff00_0000_0000_1000n]) {
    machine.context.setX(1, address);
    machine.load([ldrX(4, 1)]);
    machine.context.pc = 0x1000n;
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.esr & 0xffff).toBe(0x200);
    expect(machine.context.sysreg(FAR_EL1)).toBe(address);
    machine.context.setX(1, address & ~3n);
    machine.load([br(1)]);
    machine.context.pc = 0x1000n;
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.context.sysreg(ELR_EL1)).toBe(address & ~3n);
  }
});
