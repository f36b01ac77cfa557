import { beforeEach, describe, expect, it } from 'vitest';

import { encodeSysreg, sysreg } from './system-registers.ts';
import { hvc, movz, mrs, msr, TestMachine } from '../testing/test-machine.ts';
import { decode } from '../isa/decoder.ts';
import { ExceptionClass, RunExit } from '../types.ts';

const { CODE, VECTORS } = TestMachine;
const BUDGET = 1000;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** Runs a few instructions that end in an exit to EL2. @returns its exception class */
function run(...code: number[]): number {
  machine.load(code);
  machine.context.pc = BigInt(CODE);
  expect(machine.vcpu.run(BUDGET)).toBe(RunExit.Sync);
  return machine.vcpu.exit.ec;
}

function read(encoding: number): bigint {
  expect(run(mrs(0, encoding), hvc(0))).toBe(ExceptionClass.Hvc64);
  expect(machine.context.pc).toBe(BigInt(CODE + 8));
  return machine.context.x(0);
}

describe('the CPU interface of the GIC', () => {
  it('has no pending and no active interrupt', () => {
    for (const encoding of [sysreg.ICC_IAR0_EL1, sysreg.ICC_IAR1_EL1, sysreg.ICC_HPPIR0_EL1, sysreg.ICC_HPPIR1_EL1]) {
      expect(read(encoding)).toBe(1023n);
    }
    expect(read(sysreg.ICC_RPR_EL1)).toBe(0xffn);
    expect(read(sysreg.ICC_SRE_EL1)).toBe(7n);
  });

  it('stores the implemented bits of its priority mask', () => {
    const mask = encodeSysreg(3, 0, 4, 6, 0);
    expect(run(movz(1, 0xfff), msr(mask, 1), mrs(0, mask), hvc(0))).toBe(ExceptionClass.Hvc64);
    expect(machine.context.x(0)).toBe(0xf8n);
  });

  it('traps accesses that generate or deactivate interrupts to EL2', () => {
    const registers = [sysreg.ICC_SGI1R_EL1, sysreg.ICC_ASGI1R_EL1, sysreg.ICC_SGI0R_EL1, sysreg.ICC_DIR_EL1];
    for (const encoding of registers) {
      expect(run(msr(encoding, 1))).toBe(ExceptionClass.Sysreg);
      expect(machine.context.pc).toBe(BigInt(CODE));
    }
  });
});

describe('cache identification', () => {
  it('describes each cache that CLIDR_EL1 lists', () => {
    expect(read(sysreg.CLIDR_EL1)).toBe(0x0a20_0023n);
    const select = encodeSysreg(3, 2, 0, 0, 0);
    const sizes = [0, 1, 2].map((cache) => {
      run(movz(1, cache), msr(select, 1), mrs(0, sysreg.CCSIDR_EL1), hvc(0));
      const value = Number(machine.context.x(0));
      const [sets, ways, line] = [(value >>> 13) + 1, ((value >>> 3) & 0x3ff) + 1, 16 << (value & 7)];
      return sets * ways * line;
    });
    expect(sizes).toEqual([64 * 1024, 64 * 1024, 1024 * 1024]);
  });
});

describe('instruction set attributes', () => {
  // AES and PMULL, SHA1, SHA256 and SHA512, CRC32, LSE, RDM, SHA3, SM3, SM4, DotProd, FlagM;
  // API, JSCVT, FCMA, LRCPC, GPI, FRINTTS, I8MM.
  it.each([
    ['ID_AA64ISAR0_EL1', 0x0010_1111_1021_2120n],
    ['ID_AA64ISAR1_EL1', 0x0010_0001_1011_1500n],
  ] as const)('%s names the extensions that the decoder knows', (name, value) => {
    expect(read(sysreg[name])).toBe(value);
  });

  type Promised = readonly [
    assembly: string,
    register: keyof typeof sysreg,
    shift: number,
    least: bigint,
    word: number,
  ];
  const promises: readonly Promised[] = [
    ['FADD H0, H1, H2', 'ID_AA64PFR0_EL1', 16, 1n, 0x1ee2_2820],
    ['FADD V0.8H, V1.8H, V2.8H', 'ID_AA64PFR0_EL1', 20, 1n, 0x4e42_1420],
    ['AESE V0.16B, V1.16B', 'ID_AA64ISAR0_EL1', 4, 1n, 0x4e28_4820],
    ['PMULL V0.1Q, V1.1D, V2.1D', 'ID_AA64ISAR0_EL1', 4, 2n, 0x0ee2_e020],
    ['SHA1H S0, S1', 'ID_AA64ISAR0_EL1', 8, 1n, 0x5e28_0820],
    ['SHA256H Q0, Q1, V2.4S', 'ID_AA64ISAR0_EL1', 12, 1n, 0x5e02_4020],
    ['SHA512H Q0, Q1, V2.2D', 'ID_AA64ISAR0_EL1', 12, 2n, 0xce62_8020],
    ['EOR3 V0.16B, V1.16B, V2.16B, V3.16B', 'ID_AA64ISAR0_EL1', 32, 1n, 0xce02_0c20],
    ['SM3SS1 V0.4S, V1.4S, V2.4S, V3.4S', 'ID_AA64ISAR0_EL1', 36, 1n, 0xce42_0c20],
    ['SM4E V0.4S, V1.4S', 'ID_AA64ISAR0_EL1', 40, 1n, 0xcec0_8420],
    ['SQRDMLAH V0.8H, V1.8H, V2.8H', 'ID_AA64ISAR0_EL1', 28, 1n, 0x6e42_8420],
    ['UDOT V0.4S, V1.16B, V2.16B', 'ID_AA64ISAR0_EL1', 44, 1n, 0x6e82_9420],
    ['FJCVTZS W0, D1', 'ID_AA64ISAR1_EL1', 12, 1n, 0x1e7e_0020],
    ['FCADD V0.4S, V1.4S, V2.4S, #90', 'ID_AA64ISAR1_EL1', 16, 1n, 0x6e82_e420],
    ['FRINT32X D0, D1', 'ID_AA64ISAR1_EL1', 32, 1n, 0x1e68_c020],
    ['BFDOT V0.4S, V1.8H, V2.8H', 'ID_AA64ISAR1_EL1', 44, 1n, 0x6e42_fc20],
    ['SMMLA V0.4S, V1.16B, V2.16B', 'ID_AA64ISAR1_EL1', 52, 1n, 0x4e82_a420],
  ];
  it.each(promises)('%s is known if and only if %s promises it', (_assembly, register, shift, least, word) => {
    const promised = ((read(sysreg[register]) >> BigInt(shift)) & 0xfn) >= least;
    expect(decode(word, CODE) !== undefined).toBe(promised);
  });
});

describe('registers of extensions that are absent', () => {
  it.each([
    ['ZCR_EL1', encodeSysreg(3, 0, 1, 2, 0)],
    ['BRBCR_EL1', encodeSysreg(2, 1, 9, 0, 0)],
  ])('%s is undefined', (_name, encoding) => {
    machine.write(VECTORS + 0x200, [hvc(7)]);
    expect(run(mrs(0, encoding), hvc(0))).toBe(ExceptionClass.Hvc64);
    expect(machine.context.pc).toBe(BigInt(VECTORS + 0x204));
  });
});
