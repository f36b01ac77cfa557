import { beforeEach, describe, expect, it } from 'vitest';
import { RECORD_PAGES, Record, RECORD_REGION } from '../layout.ts';
import { blockId, handlerId, isBlock } from '../tier0/handler-ids.ts';
import { ExceptionClass, Permission, RunExit } from '../types.ts';
import {
  addImm,
  b,
  bCond,
  bl,
  br,
  brk,
  clrex,
  CPACR_EL1,
  ELR_EL1,
  eret,
  ESR_EL1,
  FAR_EL1,
  hvc,
  ldpX,
  ldrQ,
  ldrX,
  ldxrX,
  movk,
  movz,
  mrs,
  msr,
  nop,
  ret,
  SCTLR_EL1,
  smc,
  SPSR_EL1,
  stpX,
  strW,
  strX,
  stxrX,
  subsImm,
  svc,
  TestMachine,
  wfi,
} from '../testing/test-machine.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const EL1H_MASKED = 0x3c5;
const NE = 1;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** Runs to the next exit to EL2 in slices of the given budget. */
function run(slice = 100_000): void {
  let exit: RunExit;
  do exit = machine.vcpu.run(slice);
  while (exit === RunExit.Budget || exit === RunExit.Wait);
  expect(exit).toBe(RunExit.Sync);
}

/** Checks the registers after an exception to EL1 from `pc` that ended in the vector's HVC. @returns ESR_EL1.ISS */
function expectEl1Exception(vector: number, ec: number, pc: number): number {
  run();
  expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
  expect(machine.vcpu.exit.esr & 0xffff).toBe(vector);
  expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(pc));
  const esr = Number(machine.context.sysreg(ESR_EL1));
  expect(esr >>> 26).toBe(ec);
  return esr & 0x1ff_ffff;
}

describe('running code', () => {
  it('runs a countdown loop and exits at the HVC, with the PC after it', () => {
    machine.load([movz(0, 1000), subsImm(0, 0, 1), bCond(NE, -4), hvc(7)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.Hvc64, esr: 0x5a00_0007 });
    expect(machine.context.x(0)).toBe(0n);
    expect(machine.context.pc).toBe(BigInt(CODE + 16));
    expect(machine.vcpu.retired).toBe(1 + 2 * 1000 + 1);
  });

  it('retires the same instructions with any slicing', () => {
    const program = [movz(0, 5000), addImm(1, 1, 3), subsImm(0, 0, 1), bCond(NE, -8), hvc(0)];
    const counts = [1, 7, 1000, 1_000_000].map((slice) => {
      machine = new TestMachine();
      machine.load(program);
      run(slice);
      return [machine.vcpu.retired, machine.context.x(1)];
    });
    expect(new Set(counts.map(String))).toEqual(new Set(['15002,15000']));
  });

  it('ends a slice near its budget', () => {
    machine.load([b(0)]);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Budget);
    expect(machine.vcpu.retired).toBe(1000);
    expect(machine.context.pc).toBe(BigInt(CODE));
  });

  it('falls through, branches, calls and returns across pages', () => {
    const next = CODE + 4096;
    machine.write(next - 4, [movz(1, 11), movz(2, 22), ret]);
    machine.load([bl(4096 - 4), addImm(1, 1, 1), movz(3, next & 0xffff), movk(3, next >>> 16, 1), br(3)]);
    // The call on the second page would return to itself: end there instead.
    machine.write(next + 8, [hvc(1)]);
    machine.load([b(4096 - 4)]);
    run();
    expect([machine.context.x(1), machine.context.x(2)]).toEqual([11n, 22n]);
    machine.write(next + 4, [ret]);
    machine.context.pc = BigInt(CODE);
    machine.load([bl(4096 - 4), hvc(2)]);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(2);
    expect(machine.context.x(30)).toBe(BigInt(CODE + 4));
  });

  it('executes code that it has just written', () => {
    const patch = CODE + 16;
    machine.load([
      movz(0, hvc(9) & 0xffff),
      movk(0, hvc(9) >>> 16, 1),
      movz(1, patch & 0xffff),
      movk(1, patch >>> 16, 1),
      nop,
      hvc(1), // the first time through
    ]);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(1);
    machine.write(CODE + 20, [strW(0, 1), b(-8)]);
    machine.context.pc = BigInt(CODE + 20);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(9);
  });

  it('compiles hot code, with the same result and the same count', () => {
    // x1 counts, x2 sums, a call inside the loop: 10 instructions per iteration.
    machine.load([
      movz(0, 0xffff),
      movz(0, 0xffff),
      bl(24),
      addImm(1, 1, 1),
      subsImm(0, 0, 1),
      bCond(NE, -12),
      hvc(1),
      nop,
      addImm(2, 2, 3),
      strX(2, 3),
      ldrX(4, 3),
      addImm(2, 4, 1),
      ret,
    ]);
    machine.context.setX(3, BigInt(DATA));
    run();
    expect(machine.vcpu.retired).toBe(2 + 0xffff * 9 + 1);
    expect([machine.context.x(1), machine.context.x(2)]).toEqual([0xffffn, 0xffffn * 4n]);
  });

  it('executes what the guest or the host writes to compiled code', () => {
    const loop = [movz(0, 0xffff), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8)];
    // In the second pass the loop adds 2, which the guest has written.
    machine.load([...loop, strW(5, 6), subsImm(7, 7, 1), bCond(NE, -24), hvc(1)]);
    machine.context.setX(5, BigInt(addImm(2, 2, 2)));
    machine.context.setX(6, BigInt(CODE + 4));
    machine.context.setX(7, 2n);
    run();
    expect(machine.context.x(2)).toBe(0xffffn * 3n);
    machine.write(CODE + 4, [addImm(2, 2, 3)]);
    machine.context.pc = BigInt(CODE);
    machine.context.setX(7, 1n);
    run();
    expect(machine.context.x(2)).toBe(0xffffn * 6n);
  });

  it('reports a fault in the middle of compiled code at its instruction', () => {
    machine.context.setX(1, BigInt(DATA));
    machine.context.setX(2, 0x2_8000n);
    const warm = [movz(0, 0xffff), ldrX(4, 1), addImm(3, 3, 1), strX(3, 1), subsImm(0, 0, 1), bCond(NE, -16)];
    machine.load([...warm, addImm(1, 2, 0), b(-24)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: 0x2_8000 });
    expect(machine.context.pc).toBe(BigInt(CODE + 4));
    expect(machine.vcpu.retired).toBe(1 + 0xffff * 5 + 2);
    expect(machine.context.x(3)).toBe(0xffffn);
  });

  it('continues after a guest has made so much code that all code was discarded', () => {
    // Code in each round is hot for long enough to be compiled, then overwritten, in more rounds than the instance
    // limit.
    const ROUNDS = 300;
    machine.load([movz(0, 0x7fff), movz(0, 0x7fff, 1), addImm(1, 1, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(0)]);
    for (let round = 1; round <= ROUNDS; round += 1) {
      machine.write(CODE, [movz(0, 0xffff), nop, addImm(1, 1, round & 0xfff)]);
      machine.context.pc = BigInt(CODE);
      machine.context.setX(1, 0n);
      run();
      expect(machine.context.x(1)).toBe(0xffffn * BigInt(round & 0xfff));
    }
  });

  it('fails with `backend-fault` at an unused place of the handler table and runs nothing else', () => {
    const { u16 } = machine.memory;
    machine.load([movz(0, 0xffff), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(1)]);
    run();
    const compiled = u16[(RECORD_REGION + Record.Bytes) >> 1] ?? 0;
    expect(isBlock(compiled)).toBe(true);
    // The write discards the block and frees its place.
    machine.write(CODE, [movz(0, 1)]);
    machine.context.pc = BigInt(CODE);
    run();
    const x2 = machine.context.x(2);
    const unused = [compiled, blockId(0), blockId(1), blockId(100), handlerId(767), handlerId(800), 65_535];
    for (const handler of unused) {
      u16[(RECORD_REGION + Record.Bytes) >> 1] = handler;
      machine.context.pc = BigInt(CODE);
      expect(() => run()).toThrow(expect.objectContaining({ code: 'backend-fault' }));
      expect(machine.context.x(2)).toBe(x2);
    }
  });

  it('executes code that another context writes, although its stores were on the fast path before', () => {
    const other = machine.vcpu.createContext(machine.stage2);
    machine.stage2.map(DATA, 5);
    machine.load([strW(5, 1), hvc(1)]);
    machine.write(DATA, [movz(3, 7), hvc(7)]);
    machine.context.setX(1, BigInt(DATA));
    machine.context.setX(5, BigInt(movz(3, 8)));
    run();
    machine.vcpu.activate(other);
    const callData = (): bigint => {
      other.pc = BigInt(DATA);
      run();
      return other.x(3);
    };
    expect(callData()).toBe(8n);
    machine.vcpu.activate(machine.context);
    machine.context.setX(5, BigInt(movz(3, 9)));
    machine.context.pc = BigInt(CODE);
    run();
    machine.vcpu.activate(other);
    expect(callData()).toBe(9n);
  });

  it('does not run another context from records whose place was reused', () => {
    // Pages of code: one of another context, then more than there is room for, so that the last reuses the first place.
    const other = machine.vcpu.createContext(machine.stage2);
    machine.vcpu.activate(other);
    other.pc = BigInt(CODE);
    machine.load([movz(1, 1), hvc(1)]);
    run();
    machine.vcpu.activate(machine.context);
    machine.write(DATA, [movz(1, 2), hvc(2)]);
    const FIRST = 0x100_0000;
    for (let page = 0; page < RECORD_PAGES; page += 1) {
      machine.stage2.map(FIRST + page * 4096, 5);
      machine.context.pc = BigInt(FIRST + page * 4096);
      run();
    }
    machine.vcpu.activate(other);
    other.pc = BigInt(CODE);
    run();
    expect([other.x(1), machine.vcpu.exit.esr & 0xffff]).toEqual([1n, 1]);
  });

  it('ends a budget at the same instruction with any slicing and after decoding again', () => {
    // The budget ends in straight-line code before a SIMD&FP instruction that was, or was not, decoded to trap.
    const and = 0x4e20_1c00; // AND V0.16B, V0.16B, V0.16B
    const adds = Array.from({ length: 20 }, () => addImm(1, 1, 1));
    const ends = [3, 7, 1000].flatMap((slice) =>
      [0n, 3n << 20n].map((access) => {
        machine = new TestMachine();
        machine.load([msr(CPACR_EL1, 6), ...adds, and, ...adds, b(-4 * 42)]);
        machine.context.setSysreg(CPACR_EL1, access);
        machine.context.setX(6, 3n << 20n);
        const left = (): number => 10 - machine.vcpu.retired;
        while (left() > 0) machine.vcpu.run(Math.min(slice, left()));
        return [machine.context.pc, machine.context.x(1), machine.vcpu.retired];
      }),
    );
    expect(new Set(ends.map(String))).toEqual(new Set([`${CODE},40,43`]));
  });

  it('executes code that the host has written', () => {
    machine.load([hvc(1)]);
    run();
    machine.load([hvc(2)]);
    machine.context.pc = BigInt(CODE);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(2);
  });

  it('keeps the contexts of a vCPU apart', () => {
    const other = machine.vcpu.createContext(machine.stage2);
    machine.load([addImm(0, 0, 1), hvc(0), b(-8)]);
    run();
    machine.vcpu.activate(other);
    other.pc = BigInt(CODE);
    run();
    run();
    expect(other.x(0)).toBe(2n);
    machine.vcpu.activate(machine.context);
    expect(machine.context.x(0)).toBe(1n);
    run();
    expect([machine.context.x(0), other.x(0)]).toEqual([2n, 2n]);
  });
});

describe('memory', () => {
  beforeEach(() => {
    machine.context.setX(1, BigInt(DATA));
  });

  it('stores and loads a pair across pages that are not physically adjacent', () => {
    machine.context.setX(1, BigInt(DATA + 4096 - 8));
    machine.context.setX(2, 0x1122_3344_5566_7788n);
    machine.context.setX(3, 0x99aa_bbcc_ddee_ff00n);
    machine.load([stpX(2, 3, 1), ldpX(4, 5, 1), hvc(0)]);
    run();
    expect(machine.context.x(4)).toBe(0x1122_3344_5566_7788n);
    expect(machine.context.x(5)).toBe(0x99aa_bbcc_ddee_ff00n);
    expect(machine.memory.view.getBigUint64(machine.offset(DATA + 4096), true)).toBe(0x99aa_bbcc_ddee_ff00n);
  });

  it('writes nothing of a pair whose second half faults', () => {
    machine.stage2.pages.delete(DATA + 4096);
    machine.context.setX(1, BigInt(DATA + 4096 - 8));
    machine.context.setX(2, 1n);
    machine.load([stpX(2, 2, 1)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: DATA + 4096, write: true });
    expect(machine.memory.view.getBigUint64(machine.offset(DATA + 4096 - 8), true)).toBe(0n);
  });

  it('faults on misaligned data, since stage 1 is off and memory is Device', () => {
    machine.context.setX(1, BigInt(DATA + 1));
    machine.load([nop, ldrX(0, 1)]);
    const iss = expectEl1Exception(0x200, ExceptionClass.DataAbortSame, CODE + 4);
    expect(iss & 0x3f).toBe(0x21);
    expect(machine.context.sysreg(FAR_EL1)).toBe(BigInt(DATA + 1));
  });

  it('takes an Address size fault above 48 bits, without a stage 2 walk', () => {
    machine.context.setX(1, 1n << 48n);
    machine.load([ldrX(0, 1)]);
    expect(expectEl1Exception(0x200, ExceptionClass.DataAbortSame, CODE) & 0x3f).toBe(0);
  });

  it('faults on a misaligned stack pointer', () => {
    machine.load([movz(0, 8), addImm(31, 0, 0), ldrX(0, 31)]);
    expectEl1Exception(0x200, ExceptionClass.SpAlignment, CODE + 8);
  });

  it.each([
    ['str x2', strX(2, 1), { iss: 0x1c2_8047, write: true }],
    ['ldr x3', ldrX(3, 1), { iss: 0x1c3_8007, write: false }],
    ['ldr q0 (no syndrome)', ldrQ(0, 1), { iss: 0x07, write: false }],
    ['ldp (no syndrome)', ldpX(2, 3, 1), { iss: 0x07, write: false }],
  ])('reports %s to EL2 with its syndrome', (_name, word, { iss, write }) => {
    machine.context.setX(1, 0x7_0010n);
    machine.load([word]);
    run();
    const { exit } = machine.vcpu;
    expect(exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: 0x7_0010, write, permission: false });
    expect(exit.esr & 0x1ff_ffff).toBe(iss);
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.far, true)).toBe(0x7_0010n);
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.hpfar, true)).toBe(0x700n);
    expect(machine.context.pc).toBe(BigInt(CODE));
  });

  it('walks stage 2 again only after an invalidation', () => {
    machine.load([ldrX(0, 1), hvc(0), b(-8)]);
    run();
    machine.stage2.map(DATA, 5, Permission.W);
    run();
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    machine.cpu.invalidate(machine.stage2);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, permission: true });
    expect(machine.vcpu.exit.esr & 0x3f).toBe(0x0f);
  });

  it('lets one store-exclusive succeed, and none after CLREX or a context switch', () => {
    machine.load([
      ldxrX(0, 1),
      stxrX(2, 0, 1),
      stxrX(3, 0, 1),
      ldxrX(0, 1),
      clrex,
      stxrX(4, 0, 1),
      ldxrX(0, 1),
      hvc(0),
      stxrX(5, 0, 1),
      hvc(1),
    ]);
    run();
    expect([2, 3, 4].map((n) => machine.context.x(n))).toEqual([0n, 1n, 1n]);
    machine.vcpu.activate(machine.vcpu.createContext(machine.stage2));
    machine.vcpu.activate(machine.context);
    run();
    expect(machine.context.x(5)).toBe(1n);
  });
});

describe('exceptions', () => {
  it('takes SVC to EL1 and returns after it', () => {
    machine.write(VECTORS + 0x200, [addImm(9, 9, 1), eret]);
    machine.load([svc(0x1234), hvc(3)]);
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(3);
    expect(machine.context.x(9)).toBe(1n);
    expect(machine.context.sysreg(ESR_EL1)).toBe(0x5600_1234n);
    expect(machine.context.pstate & 0x3df).toBe(EL1H_MASKED);
  });

  it('takes BRK and undefined instructions with their own address, and reports the undefined word', () => {
    const seen: [number, bigint][] = [];
    machine.cpu.onUndefined = (word, pc) => seen.push([word, pc]);
    machine.load([brk(5)]);
    expect(expectEl1Exception(0x200, ExceptionClass.Brk64, CODE)).toBe(5);
    machine.context.pc = BigInt(CODE);
    machine.load([0x0000_beef]);
    expectEl1Exception(0x200, ExceptionClass.Unknown, CODE);
    expect(seen).toEqual([[0xbeef, BigInt(CODE)]]);
  });

  it('runs EL0, traps its access to a register of EL1, and uses the lower-EL vector', () => {
    machine.context.setSysreg(SPSR_EL1, 0n);
    machine.context.setSysreg(ELR_EL1, BigInt(CODE + 64));
    machine.write(CODE + 64, [movz(1, 1), mrs(0, SCTLR_EL1)]);
    machine.load([eret]);
    expectEl1Exception(0x400, ExceptionClass.Unknown, CODE + 68);
    expect(machine.context.x(1)).toBe(1n);
    expect(machine.context.sysreg(SPSR_EL1)).toBe(0n);
  });

  it('takes an Illegal Execution state exception after an ERET to EL2', () => {
    machine.context.setSysreg(SPSR_EL1, 0x3c9n);
    machine.context.setSysreg(ELR_EL1, BigInt(CODE + 64));
    machine.load([eret]);
    expectEl1Exception(0x200, ExceptionClass.IllegalState, CODE + 64);
  });

  it('ends a slice even if the vectors themselves fault without end', () => {
    machine.write(VECTORS + 0x200, [0]);
    machine.load([0]);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Budget);
    machine.stage2.pages.delete(VECTORS);
    machine.cpu.invalidate(machine.stage2);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ipa).toBe(VECTORS + 0x200);
  });

  it('banks SP_EL0 and SP_EL1', () => {
    const SP_EL0 = 0xc208;
    const SPSEL = 0xc210;
    machine.load([
      movz(0, 0x100),
      addImm(31, 0, 0),
      movz(0, 0x200),
      msr(SP_EL0, 0),
      movz(2, 0),
      msr(SPSEL, 2),
      addImm(3, 31, 0),
      hvc(0),
    ]);
    run();
    expect(machine.context.x(3)).toBe(0x200n);
    expect(machine.context.sp).toBe(0x200n);
    expect(machine.context.sysreg(0xe208)).toBe(0x100n);
  });

  it('faults on a misaligned PC and on one above 48 bits', () => {
    machine.context.setX(0, BigInt(CODE + 2));
    machine.load([br(0)]);
    expectEl1Exception(0x200, ExceptionClass.PcAlignment, CODE + 2);
    machine.context.pc = BigInt(CODE);
    machine.context.setX(0, 0xffff_0000_0000_0000n);
    run();
    expect(machine.context.sysreg(ELR_EL1)).toBe(0xffff_0000_0000_0000n);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.InstructionAbortSame);
  });

  it('reports an instruction abort to EL2, translation and permission', () => {
    machine.context.setX(0, 0x9_0000n);
    machine.load([br(0)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({
      ec: ExceptionClass.InstructionAbortLower,
      ipa: 0x9_0000,
      permission: false,
    });
    machine.context.pc = BigInt(CODE);
    machine.stage2.map(0x9_0000, 9, Permission.R | Permission.W | Permission.XEl0);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ipa: 0x9_0000, permission: true });
    expect(machine.context.pc).toBe(0x9_0000n);
  });

  it('leaves the PC at trapped instructions: SMC and WFI', () => {
    machine.context.traps.wfi = true;
    machine.load([wfi, smc(3)]);
    run();
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Wfx);
    expect(machine.context.pc).toBe(BigInt(CODE));
    machine.context.traps.wfi = false;
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.Smc64, esr: 0x5e00_0003 });
    expect(machine.context.pc).toBe(BigInt(CODE + 4));
  });

  it('traps SIMD&FP to EL2 while that is set, and to EL1 by CPACR_EL1', () => {
    machine.context.setX(1, BigInt(DATA));
    machine.context.traps.simd = true;
    machine.load([ldrQ(0, 1), hvc(4)]);
    run();
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.SimdFp, esr: 0x1fe0_0000 });
    machine.context.traps.simd = false;
    run();
    expect(machine.vcpu.exit.esr & 0xffff).toBe(4);
    machine.context.pc = BigInt(CODE);
    machine.context.traps.simd = true;
    run();
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.SimdFp);
    machine.context.setSysreg(CPACR_EL1, 0n);
    expectEl1Exception(0x200, ExceptionClass.SimdFp, CODE);
  });
});
