import { beforeAll, describe, expect, it } from 'vitest';
import { ExceptionClass } from '../../types.ts';
import { ESR_EL1, hvc, mrs, TestMachine } from '../../testing/test-machine.ts';
import { sysreg } from '../system-registers.ts';

/** Instructions that a field promises from a value on: those of higher values must be undefined. */
type Promise = readonly [from: number, assembly: string, word: number];
type Promises = Readonly<Record<string, readonly [shift: number, ...promises: Promise[]]>>;

/** Every field of the registers that name instructions, by its lowest bit. */
const registers = {
  ID_AA64PFR0_EL1: {
    FP: [16, [0, 'FADD S0, S1, S2', 0x1e22_2820], [1, 'FADD H0, H1, H2', 0x1ee2_2820]],
    AdvSIMD: [20, [0, 'FADD V0.4S, V1.4S, V2.4S', 0x4e22_d420], [1, 'FADD V0.8H, V1.8H, V2.8H', 0x4e42_1420]],
    SVE: [32, [1, 'ADD Z0.B, Z1.B, Z2.B', 0x0422_0020]],
    DIT: [48, [1, 'MRS X0, DIT', 0xd53b_42a0], [1, 'MSR DIT, #0', 0xd503_405f]],
  },
  ID_AA64PFR1_EL1: {
    // BTI is a hint where it is absent: see branch-target.test.ts.
    SSBS: [4, [2, 'MRS X0, SSBS', 0xd53b_42c0], [2, 'MSR SSBS, #0', 0xd503_403f]],
    MTE: [8, [1, 'IRG X0, X1, X2', 0x9ac2_1020], [2, 'STG X0, [X1]', 0xd920_0820], [2, 'LDG X0, [X1]', 0xd960_0020]],
    SME: [24, [1, 'SMSTART', 0xd503_477f], [1, 'FMOPA ZA0.S, P0/M, P1/M, Z0.S, Z1.S', 0x8081_2000]],
    NMI: [36, [1, 'MSR ALLINT, #1', 0xd501_411f]],
  },
  ID_AA64ISAR0_EL1: {
    AES: [4, [1, 'AESE V0.16B, V1.16B', 0x4e28_4820], [2, 'PMULL V0.1Q, V1.1D, V2.1D', 0x0ee2_e020]],
    SHA1: [8, [1, 'SHA1H S0, S1', 0x5e28_0820]],
    SHA2: [12, [1, 'SHA256H Q0, Q1, V2.4S', 0x5e02_4020], [2, 'SHA512H Q0, Q1, V2.2D', 0xce62_8020]],
    CRC32: [16, [1, 'CRC32B W0, W1, W2', 0x1ac2_4020]],
    Atomic: [20, [2, 'LDADD X0, X1, [X2]', 0xf820_0041], [3, 'LDCLRP X0, X1, [X2]', 0x1921_1040]],
    TME: [24, [1, 'TSTART X0', 0xd523_3060]],
    RDM: [28, [1, 'SQRDMLAH V0.8H, V1.8H, V2.8H', 0x6e42_8420]],
    SHA3: [32, [1, 'EOR3 V0.16B, V1.16B, V2.16B, V3.16B', 0xce02_0c20]],
    SM3: [36, [1, 'SM3SS1 V0.4S, V1.4S, V2.4S, V3.4S', 0xce42_0c20]],
    SM4: [40, [1, 'SM4E V0.4S, V1.4S', 0xcec0_8420]],
    DP: [44, [1, 'UDOT V0.4S, V1.16B, V2.16B', 0x6e82_9420]],
    FHM: [48, [1, 'FMLAL V0.4S, V1.4H, V2.4H', 0x4e22_ec20], [1, 'FMLSL2 V0.4S, V1.4H, V2.H[1]', 0x6f92_c020]],
    TS: [
      52,
      [1, 'CFINV', 0xd500_401f],
      [1, 'SETF8 W0', 0x3a00_080d],
      [2, 'AXFLAG', 0xd500_405f],
      [2, 'XAFLAG', 0xd500_403f],
    ],
    TLB: [56, [1, 'TLBI VMALLE1OS', 0xd508_811f], [2, 'TLBI RVAE1, X0', 0xd508_8620]],
    RNDR: [60, [1, 'MRS X0, RNDR', 0xd53b_2400], [1, 'MRS X0, RNDRRS', 0xd53b_2420]],
  },
  ID_AA64ISAR1_EL1: {
    DPB: [0, [1, 'DC CVAP, X0', 0xd50b_7c20], [2, 'DC CVADP, X0', 0xd50b_7d20]],
    API: [8, [1, 'PACIA X0, X1', 0xdac1_0020], [1, 'LDRAA X0, [X1]', 0xf820_0420], [1, 'RETAA', 0xd65f_0bff]],
    JSCVT: [12, [1, 'FJCVTZS W0, D1', 0x1e7e_0020]],
    FCMA: [16, [1, 'FCADD V0.4S, V1.4S, V2.4S, #90', 0x6e82_e420]],
    LRCPC: [
      20,
      [1, 'LDAPR X0, [X1]', 0xf8bf_c020],
      [2, 'LDAPUR X0, [X1]', 0xd940_0020],
      [2, 'STLUR W0, [X1, #-3]', 0x991f_d020],
      [3, 'LDAPR X0, [X1], #8', 0xd9c0_0820],
      [3, 'LDIAPP X29, X5, [X21], #16', 0xd945_0abd],
      [3, 'LDAPUR Q3, [X15, #10]', 0x1dc0_a9e3],
      [3, 'LDAP1 {V3.D}[1], [X15]', 0x4d41_85e3],
    ],
    GPI: [28, [1, 'PACGA X0, X1, X2', 0x9ac2_3020]],
    FRINTTS: [32, [1, 'FRINT32X D0, D1', 0x1e68_c020]],
    SB: [36, [1, 'SB', 0xd503_30ff]],
    SPECRES: [
      40,
      [1, 'CFP RCTX, X0', 0xd50b_7380],
      [1, 'DVP RCTX, X0', 0xd50b_73a0],
      [1, 'CPP RCTX, X0', 0xd50b_73e0],
      [2, 'COSP RCTX, X0', 0xd50b_73c0],
    ],
    BF16: [
      44,
      [1, 'BFDOT V0.4S, V1.8H, V2.8H', 0x6e42_fc20],
      [1, 'BFMMLA V0.4S, V1.8H, V2.8H', 0x6e42_ec20],
      [1, 'BFCVT H0, S1', 0x1e63_4020],
      [1, 'BFCVTN V0.4H, V1.4S', 0x0ea1_6820],
      [1, 'BFMLALB V0.4S, V1.8H, V2.8H', 0x2ec2_fc20],
    ],
    I8MM: [52, [1, 'SMMLA V0.4S, V1.16B, V2.16B', 0x4e82_a420]],
    XS: [56, [1, 'DSB OSHNXS', 0xd503_323f]],
    LS64: [60, [1, 'LD64B X0, [X8]', 0xf83f_d100], [2, 'ST64BV X1, X0, [X8]', 0xf821_b100]],
  },
  ID_AA64ISAR2_EL1: {
    WFxT: [0, [2, 'WFET X0', 0xd503_1000], [2, 'WFIT X0', 0xd503_1020]],
    RPRES: [4],
    MOPS: [16, [1, 'CPYFP [X0]!, [X1]!, X2!', 0x1901_0440], [1, 'SETP [X0]!, X1!, X2', 0x19c2_0420]],
    BC: [20, [1, 'BC.EQ .', 0x5400_0010]],
    SYSREG_128: [32, [1, 'MRRS X0, X1, TTBR0_EL1', 0xd578_2000]],
    CSSC: [52, [1, 'ABS X0, X1', 0xdac0_2020]],
  },
  ID_AA64MMFR0_EL1: {
    // Sizes of addresses, ASIDs and granules promise no instructions.
    sizes: [0],
    ASIDBits: [4],
    TGran16: [20],
  },
  ID_AA64MMFR1_EL1: {
    HAFDBS: [0],
    HPDS: [12],
    PAN: [20, [1, 'MSR PAN, #0', 0xd500_409f], [1, 'MRS X0, PAN', 0xd538_4260], [2, 'AT S1E1RP, X0', 0xd508_7900]],
    nTLBPA: [48],
  },
  ID_AA64MMFR2_EL1: {
    CnP: [0],
    UAO: [4, [1, 'MSR UAO, #0', 0xd500_407f], [1, 'MRS X0, UAO', 0xd538_4280]],
    ST: [28],
    AT: [32],
    TTL: [48],
    BBM: [52],
    E0PD: [60],
  },
} as const satisfies Readonly<Partial<Record<keyof typeof sysreg, Promises>>>;

let machine: TestMachine;
beforeAll(() => {
  machine = new TestMachine();
});

function run(word: number): void {
  machine.context.pstate = 0x3c5;
  machine.context.setSysreg(ESR_EL1, 0xffff_ffffn);
  for (let n = 0; n < 31; n += 1) machine.context.setX(n, 0n);
  machine.load([word, hvc(0)]);
  machine.context.pc = BigInt(TestMachine.CODE);
  machine.vcpu.run(1_000_000);
}

function isUndefined(word: number): boolean {
  run(word);
  return (machine.context.sysreg(ESR_EL1) ?? 0n) >> 26n === BigInt(ExceptionClass.Unknown);
}

function read(encoding: number): bigint {
  run(mrs(0, encoding));
  return machine.context.x(0);
}

describe.each(Object.entries(registers))('%s', (name, fields: Promises) => {
  // Safe: it is a key of the table.
  const encoding = sysreg[name as keyof typeof registers];

  it.each(Object.entries(fields))('.%s promises what there is', (_field, [shift, ...promises]) => {
    const value = Number((read(encoding) >> BigInt(shift)) & 0xfn);
    const wrong = promises.filter(([from, , word]) => isUndefined(word) !== from > value);
    expect(wrong.map(([, assembly]) => assembly)).toEqual([]);
  });

  it('promises nothing else', () => {
    const known = Object.values(fields).reduce((mask, [shift]) => mask | (0xfn << BigInt(shift)), 0n);
    const other = { ID_AA64PFR0_EL1: 0xff00_0000_0f00_00ffn, ID_AA64PFR1_EL1: 0xfn, ID_AA64ISAR1_EL1: 0xfn << 48n };
    const elsewhere =
      (other as Partial<Record<string, bigint>>)[name] ?? (name === 'ID_AA64ISAR2_EL1' ? 0xfn << 24n : 0n);
    expect(read(encoding) & ~(known | elsewhere)).toBe(0n);
  });
});
