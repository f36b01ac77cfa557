import { beforeEach, describe, expect, it } from 'vitest';
import { hvc, mrs, msr, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../../types.ts';
import { sysreg } from '../../pe/system-registers.ts';
import { VcpuState } from '../../layout.ts';

const AHP = 1n << 26n;
const DN = 1n << 25n;
const FZ = 1n << 24n;
const FZ16 = 1n << 19n;
const rmode = (mode: bigint): bigint => mode << 22n;

const FDIV = 0x1e62_1820; // FDIV D0, D1, D2
const FADD = 0x1e62_2820; // FADD D0, D1, D2
const FMUL = 0x1e62_0820; // FMUL D0, D1, D2
const FSQRT = 0x1e61_c020; // FSQRT D0, D1
const FMADD = 0x1f42_0c20; // FMADD D0, D1, D2, D3
const FCMP = 0x1e62_2020; // FCMP D1, D2
const FCMPE = 0x1e62_2030; // FCMPE D1, D2
const QUIET = 0x7ff8_0000_0000_0001n;
const SIGNALLING = 0x7ff0_0000_0000_0001n;
const FCVTZS = 0x9e78_0023; // FCVTZS X3, D1
const FADD_2D = 0x4e62_d420; // FADD V0.2D, V1.2D, V2.2D

const IOC = 1n;
const DZC = 2n;
const OFC = 4n;
const UFC = 8n;
const IXC = 16n;
const IDC = 128n;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

function run(value: bigint, ...words: number[]): RunExit {
  machine.context.setX(0, value);
  machine.load(words);
  machine.context.pc = BigInt(TestMachine.CODE);
  return machine.vcpu.run(1_000_000);
}

function setDouble(register: number, value: number): void {
  machine.memory.view.setFloat64(VcpuState.V + register * 16, value, true);
}

/** D0 and FPSR after an instruction on D1 and D2, with FPCR set and FPSR clear before. */
function compute(fpcr: bigint, word: number, first: number, second = 0, third = 0): { d0: number; fpsr: bigint } {
  [first, second, third].forEach((value, index) => {
    setDouble(index + 1, value);
  });
  const exit = run(fpcr, msr(sysreg.FPCR, 0), msr(sysreg.FPSR, 31), word, mrs(1, sysreg.FPSR), hvc(0));
  expect(exit).toBe(RunExit.Sync);
  return { d0: machine.memory.view.getFloat64(VcpuState.V, true), fpsr: machine.context.x(1) };
}

describe('FPCR', () => {
  it('keeps its modes, and reads as zero where exceptions could be trapped', () => {
    const modes = AHP | DN | FZ | FZ16 | rmode(3n);
    const TRAP_ENABLES = 0x9f00n;
    expect(run(modes | TRAP_ENABLES, msr(sysreg.FPCR, 0), mrs(1, sysreg.FPCR), hvc(0))).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    expect(machine.context.x(1)).toBe(modes);
  });

  const below = 1 / 3;
  const above = below + 2 ** -54;
  it.each([
    ['to nearest', 0n, below, -below],
    ['up', 1n, above, -below],
    ['down', 2n, below, -above],
    ['to zero', 3n, below, -below],
  ])('rounds %s', (_, mode, positive, negative) => {
    expect(compute(rmode(mode), FDIV, 1, 3)).toEqual({ d0: positive, fpsr: IXC });
    expect(compute(rmode(mode), FDIV, -1, 3)).toEqual({ d0: negative, fpsr: IXC });
  });

  it('flushes denormal operands and results to zero', () => {
    expect(compute(FZ, FADD, 2 ** -1060, 2 ** -1060)).toEqual({ d0: 0, fpsr: IDC });
    expect(compute(FZ, FMUL, 2 ** -600, -(2 ** -440))).toEqual({ d0: -0, fpsr: UFC });
    expect(compute(FZ16, FADD, 2 ** -1060, 2 ** -1060)).toEqual({ d0: 2 ** -1059, fpsr: 0n });
  });

  it('is trapped as SIMD&FP instructions are', () => {
    machine.context.traps.simd = true;
    expect(run(0n, mrs(1, sysreg.FPCR), hvc(0))).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.SimdFp);
    expect(machine.context.pc).toBe(BigInt(TestMachine.CODE));
  });
});

describe('FPSR', () => {
  it.each([
    ['an exact sum', FADD, [1, 2, 0], 0n],
    ['an exact product', FMUL, [3, 5, 0], 0n],
    ['an exact quotient', FDIV, [15, 5, 0], 0n],
    ['an exact root', FSQRT, [49, 0, 0], 0n],
    ['an exact fused sum', FMADD, [3, 5, 7], 0n],
    ['a sum that is rounded', FADD, [1, 2 ** -60, 0], IXC],
    ['a product that is rounded', FMUL, [1.1, 1.1, 0], IXC],
    ['a root that is rounded', FSQRT, [2, 0, 0], IXC],
    ['a fused sum that is rounded', FMADD, [1.1, 1.1, 1], IXC],
    ['an integer that is cut off', FCVTZS, [1.5, 0, 0], IXC],
    ['an integer that is too large', FCVTZS, [2 ** 70, 0, 0], IOC],
    ['infinity less infinity', FADD, [Infinity, -Infinity, 0], IOC],
    ['a division by zero', FDIV, [1, 0, 0], DZC],
    ['zero by zero', FDIV, [0, 0, 0], IOC],
    ['an overflow', FMUL, [2 ** 600, 2 ** 600, 0], OFC | IXC],
    ['an underflow', FMUL, [1.1 * 2 ** -600, 2 ** -460, 0], UFC | IXC],
    ['an exact denormal', FMUL, [2 ** -600, 2 ** -440, 0], 0n],
  ] as const)('has the flags of %s', (_, word, operands, flags) => {
    expect(compute(0n, word, operands[0], operands[1], operands[2]).fpsr).toBe(flags);
    // Generated code knows of FPSR by now.
    setDouble(0, 0);
    expect(run(0n, msr(sysreg.FPSR, 31), FADD, word, mrs(1, sysreg.FPSR), hvc(0))).toBe(RunExit.Sync);
    expect(machine.context.x(1) & flags).toBe(flags);
  });

  it.each([
    ['FCMP with a quiet NaN', FCMP, QUIET, 0n],
    ['FCMPE with a quiet NaN', FCMPE, QUIET, IOC],
    ['FCMP with a signalling NaN', FCMP, SIGNALLING, IOC],
    ['FCMP with a number', FCMP, 0x3ff0_0000_0000_0000n, 0n],
  ] as const)('has those of %s', (_, word, bits, flags) => {
    machine.memory.view.setBigUint64(VcpuState.V + 16, bits, true);
    setDouble(2, 1);
    const exit = run(0n, msr(sysreg.FPSR, 31), word, mrs(1, sysreg.FPSR), mrs(2, sysreg.NZCV), hvc(0));
    expect(exit).toBe(RunExit.Sync);
    const nzcv = bits === QUIET || bits === SIGNALLING ? 0x3000_0000n : 0x6000_0000n;
    expect([machine.context.x(1), machine.context.x(2)]).toEqual([flags, nzcv]);
  });

  it('has those of any lane', () => {
    machine.memory.view.setFloat64(VcpuState.V + 24, Infinity, true);
    machine.memory.view.setFloat64(VcpuState.V + 40, -Infinity, true);
    expect(compute(0n, FADD_2D, 1, 2 ** -60)).toEqual({ d0: 1, fpsr: IOC | IXC });
  });

  it('accumulates, and raises flags again after a write', () => {
    setDouble(1, 1);
    setDouble(2, 3);
    const clear = msr(sysreg.FPSR, 31);
    const words = [
      clear,
      FDIV,
      FDIV,
      mrs(1, sysreg.FPSR),
      clear,
      mrs(2, sysreg.FPSR),
      FDIV,
      mrs(3, sysreg.FPSR),
      hvc(0),
    ];
    expect(run(0n, ...words)).toBe(RunExit.Sync);
    expect([1, 2, 3].map((register) => machine.context.x(register))).toEqual([IXC, 0n, IXC]);
  });

  it('is of one vCPU', () => {
    const words = [FDIV, FDIV, mrs(1, sysreg.FPSR), hvc(0)];
    const prepare = (): void => {
      setDouble(1, 1);
      setDouble(2, 3);
    };
    prepare();
    run(0n, ...words);
    const other = machine.cpu.createVcpu(1);
    const context = other.createContext(machine.stage2);
    context.setSysreg(0xc082, 3n << 20n);
    context.pc = BigInt(TestMachine.CODE);
    other.activate(context);
    prepare();
    expect(other.run(1_000_000)).toBe(RunExit.Sync);
    expect(context.x(1)).toBe(IXC);
  });
});
