import { beforeEach, describe, expect, it } from 'vitest';
import { El2Machine, Mode } from '../../testing/el2-machine.ts';
import { Descriptor, Tcr } from '../../testing/table-builder.ts';
import { br, hvc, ldrX, movz, smc, strX, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass } from '../../types.ts';
import { sysreg } from '../system-registers.ts';
import { Hcr, HcrHigh } from './el2-state.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const PAGE = 4096;
const LOWER = 0x400;
/** Tables of levels 1 to 3 of stage 2 for the first 2 MiB, of two virtual machines, and one of stage 1. */
const [LEVEL1, LEVEL2, LEVEL3] = [0x4_0000, 0x4_1000, 0x4_2000] as const;
const OTHER = [0x4_3000, 0x4_4000, 0x4_5000] as const;
const STAGE1 = 0x4_6000;
/** An intermediate physical address that only stage 2 gives a meaning. */
const GUEST = 0x6_0000;
/** 39 bits of input from level 1, 4 KiB, 48 bits of output. */
const VTCR = 25n | (1n << 6n) | (5n << 16n);

/** Stage 2 descriptors: S2AP, MemAttr and XN. */
const S2 = {
  Read: 1n << 6n,
  Write: 2n << 6n,
  Normal: 15n << 2n,
  El0Only: 1n << 53n,
  Never: 2n << 53n,
  El1Only: 3n << 53n,
};
const ALL = S2.Read | S2.Write | S2.Normal | Descriptor.AccessFlag;

class Hypervisor extends El2Machine {
  constructor() {
    super();
    [LEVEL1, LEVEL2, LEVEL3, ...OTHER, STAGE1].forEach((address, index) => {
      this.stage2.map(address, 9 + index);
    });
    for (const [level1, level2, level3] of [[LEVEL1, LEVEL2, LEVEL3] as const, OTHER]) {
      this.poke(level1, BigInt(level2) | Descriptor.Table);
      this.poke(level2, BigInt(level3) | Descriptor.Table);
    }
    for (const page of [CODE, El2Machine.VECTORS_EL1, DATA, STAGE1]) this.map(page, page);
    this.map(CODE, CODE, ALL, OTHER[2]);
    this.map(El2Machine.VECTORS_EL1, El2Machine.VECTORS_EL1, ALL, OTHER[2]);
    this.context.setSysreg(sysreg.VTCR_EL2, VTCR);
    this.select(1, LEVEL1);
    this.hcr(Hcr.VM);
  }

  poke(address: number, value: bigint): void {
    this.memory.view.setBigUint64(this.offset(address), value, true);
  }
  peek(address: number): bigint {
    return this.memory.view.getBigUint64(this.offset(address), true);
  }
  map(ipa: number, address: number, attributes = ALL, table: number = LEVEL3): void {
    this.poke(table + (ipa >> 12) * 8, BigInt(address) | Descriptor.Page | attributes);
  }
  select(vmid: number, table: number): void {
    this.context.setSysreg(sysreg.VTTBR_EL2, (BigInt(vmid) << 48n) | BigInt(table));
  }
  /** Runs code of EL1 with X0. */
  el1(x0: number, ...code: readonly number[]): number {
    this.context.setX(0, BigInt(x0));
    return this.runAt(Mode.El1h, code);
  }
  get syndrome(): readonly [ec: number, iss: number] {
    const esr = Number(this.el2('ESR'));
    return [esr >>> 26, esr & 0x1ff_ffff];
  }
}

let machine: Hypervisor;
beforeEach(() => {
  machine = new Hypervisor();
  machine.poke(DATA, 0x1234n);
});

/** ISS of LDR X1, [X0], without a status: ISV, SAS, SRT and SF. */
const LOAD = (1 << 24) | (3 << 22) | (1 << 16) | (1 << 15);
const WNR = 1 << 6;

describe('stage 2 of a guest', () => {
  it('maps intermediate physical addresses', () => {
    machine.map(GUEST, DATA);
    expect(machine.el1(GUEST + 0x10, strX(0, 0), ldrX(1, 0, 0), smc(1))).toBe(1);
    expect(machine.context.x(1)).toBe(BigInt(GUEST + 0x10));
    expect(machine.peek(DATA + 0x10)).toBe(BigInt(GUEST + 0x10));
  });

  it.each([
    ['a translation fault', 0n, ldrX(1, 0), LOAD | 0x7],
    ['an access flag fault', S2.Read | S2.Normal | Descriptor.Page, ldrX(1, 0), LOAD | 0xb],
    [
      'a permission fault of a read',
      S2.Write | S2.Normal | Descriptor.Page | Descriptor.AccessFlag,
      ldrX(1, 0),
      LOAD | 0xf,
    ],
    [
      'a permission fault of a write',
      S2.Read | S2.Normal | Descriptor.Page | Descriptor.AccessFlag,
      strX(1, 0),
      LOAD | WNR | 0xf,
    ],
  ])('takes %s to EL2, with the address in HPFAR_EL2', (_name, descriptor, word, iss) => {
    machine.poke(LEVEL3 + (GUEST >> 12) * 8, descriptor === 0n ? 0n : BigInt(DATA) | descriptor);
    expect(machine.el1(GUEST + 8, word)).toBe(LOWER);
    expect(machine.syndrome).toEqual([ExceptionClass.DataAbortLower, iss]);
    expect([machine.el2('FAR'), machine.el2('HPFAR'), machine.el2('ELR')]).toEqual([
      BigInt(GUEST + 8),
      BigInt(GUEST >> 8),
      BigInt(CODE),
    ]);
  });

  it.each([
    ['for all', 0n, [true, true]],
    ['for EL0 only', S2.El0Only, [false, true]],
    ['for nobody', S2.Never, [false, false]],
    ['for EL1 only', S2.El1Only, [true, false]],
  ])('lets code execute %s', (_name, xn, [el1, el0]) => {
    machine.map(GUEST, CODE + PAGE, ALL | xn);
    machine.write(CODE + PAGE, [hvc(1)]);
    for (const [mode, may] of [
      [Mode.El1h, el1],
      [Mode.El0t, el0],
    ] as const) {
      machine.context.setX(0, BigInt(GUEST));
      const vector = machine.runAt(mode, [br(0)]);
      if (may !== true) expect(machine.syndrome).toEqual([ExceptionClass.InstructionAbortLower, 0xf]);
      // HVC is undefined at EL0.
      else if (mode === Mode.El0t) expect(vector).toBe(0x1000 + LOWER);
      else expect(machine.syndrome).toEqual([ExceptionClass.Hvc64, 1]);
    }
  });

  it('takes faults of walks of stage 1 to EL2, with S1PTW', () => {
    machine.context.setSysreg(sysreg.TCR_EL1, Tcr.t0sz(39) | Tcr.Epd1 | Tcr.ips(5));
    machine.context.setSysreg(sysreg.TTBR0_EL1, BigInt(GUEST));
    machine.context.setSysreg(sysreg.SCTLR_EL1, 0xc5_0879n);
    expect(machine.el1(0, ldrX(1, 0))).toBe(LOWER);
    expect(machine.syndrome).toEqual([ExceptionClass.InstructionAbortLower, (1 << 7) | 0x7]);
    expect(machine.el2('HPFAR')).toBe(BigInt(GUEST >> 8));
  });

  it('has misaligned accesses fault where it has Device memory, and Normal where HCR_EL2.DC says so', () => {
    machine.hcr(Hcr.VM | Hcr.DC);
    machine.map(GUEST, DATA, S2.Read | S2.Write | Descriptor.AccessFlag);
    expect(machine.el1(DATA + 1, ldrX(1, 0), smc(1))).toBe(1);
    expect(machine.el1(GUEST + 1, ldrX(1, 0), smc(1))).toBe(LOWER);
    expect(machine.syndrome[1] & 0x3f).toBe(0x21);
  });

  it('sets the access flag and the dirty state where VTCR_EL2 says so', () => {
    machine.context.setSysreg(sysreg.VTCR_EL2, VTCR | (3n << 21n));
    const clean = S2.Read | S2.Normal | Descriptor.DirtyBitModifier;
    machine.map(GUEST, DATA, clean);
    machine.el1(GUEST, ldrX(1, 0), smc(1));
    const at = LEVEL3 + (GUEST >> 12) * 8;
    expect(machine.peek(at) & (S2.Write | Descriptor.AccessFlag)).toBe(Descriptor.AccessFlag);
    machine.el1(GUEST, strX(1, 0), smc(1));
    expect(machine.peek(at) & S2.Write).toBe(S2.Write);
  });

  it('keeps entries by VMID until TLBI is executed', () => {
    machine.map(GUEST, DATA);
    machine.map(GUEST, DATA + PAGE, ALL, OTHER[2]);
    machine.poke(DATA + PAGE, 0x5678n);
    const read = (): bigint => {
      expect(machine.el1(GUEST, ldrX(1, 0), smc(1))).toBe(1);
      return machine.context.x(1);
    };
    expect(read()).toBe(0x1234n);
    machine.select(2, OTHER[0]);
    expect(read()).toBe(0x5678n);
    machine.select(1, LEVEL1);
    expect(read()).toBe(0x1234n);
    machine.map(GUEST, DATA + PAGE);
    const tlbiIpas2e1is = 0xd50c_8020;
    machine.context.setX(0, BigInt(GUEST >> 12));
    machine.runAt(Mode.El2h, [tlbiIpas2e1is, smc(1)]);
    expect(read()).toBe(0x5678n);
    machine.map(GUEST, DATA);
    const tlbiVmalls12e1is = 0xd50c_83df;
    machine.runAt(Mode.El2h, [tlbiVmalls12e1is, smc(1)]);
    expect(read()).toBe(0x1234n);
  });

  it('does not concern EL2 itself', () => {
    machine.context.setX(0, BigInt(VECTORS));
    expect(machine.runAt(Mode.El2h, [ldrX(1, 0), smc(2)])).toBe(2);
  });

  it('lets the machine know of devices by physical addresses', () => {
    machine.map(GUEST, 0x900_0000);
    machine.context.setX(0, BigInt(GUEST + 0x18));
    machine.context.pstate = Mode.El1h;
    machine.context.pc = BigInt(CODE);
    machine.load([ldrX(1, 0)]);
    machine.vcpu.run(1000);
    expect(machine.vcpu.exit).toMatchObject({ ec: ExceptionClass.DataAbortLower, ipa: 0x900_0018 });
  });
});

describe('address translation instructions of EL2', () => {
  const atS12e1r = 0xd50c_7880;
  const atS12e1w = 0xd50c_78a0;
  const atS1e2r = 0xd50c_7800;
  const par = (word: number, address: number): bigint => {
    machine.context.setX(0, BigInt(address));
    machine.runAt(Mode.El2h, [word, smc(1)]);
    return machine.context.sysreg(sysreg.PAR_EL1) ?? 0n;
  };

  it('translate in both stages', () => {
    machine.map(GUEST, DATA, S2.Read | S2.Normal | Descriptor.AccessFlag);
    expect(par(atS12e1r, GUEST + 0x10) & 0xf_ffff_f001n).toBe(BigInt(DATA));
    // F, S and the status.
    expect(par(atS12e1w, GUEST) & 0x3ffn).toBe(1n | (0xfn << 1n) | (1n << 9n));
  });

  it('translate in the regime of EL2', () => {
    expect(par(atS1e2r, GUEST) & 0xf_ffff_f001n).toBe(BigInt(GUEST));
  });
});

describe('stage 1 of EL2', () => {
  const READ_ONLY = Descriptor.ReadOnly;
  /** For reading, so that a host may execute it too. */
  const OWN = Descriptor.Page | Descriptor.AccessFlag | Descriptor.User | READ_ONLY;

  /** Maps the first gigabytes of EL2 by blocks of 1 GiB, and one page at GUEST. */
  function enable(page: bigint, sctlr = 0n): void {
    machine.poke(OTHER[0], BigInt(OTHER[1]) | Descriptor.Table);
    machine.poke(OTHER[1], BigInt(OTHER[2]) | Descriptor.Table);
    for (const own of [CODE, VECTORS, DATA]) machine.poke(OTHER[2] + (own >> 12) * 8, BigInt(own) | OWN);
    machine.poke(OTHER[2] + (GUEST >> 12) * 8, page);
    machine.context.setSysreg(sysreg.MAIR_EL2, 0xffn);
    machine.context.setSysreg(sysreg.TCR_EL2, 25n | (5n << 16n));
    machine.context.setSysreg(sysreg.TTBR0_EL2, BigInt(OTHER[0]));
    machine.context.setSysreg(sysreg.SCTLR_EL2, 0x30c5_0831n | sctlr);
  }
  const page = BigInt(DATA) | Descriptor.Page | Descriptor.AccessFlag | (1n << 6n);

  it('maps addresses', () => {
    enable(page);
    machine.context.setX(0, BigInt(GUEST));
    expect(machine.runAt(Mode.El2h, [ldrX(1, 0), smc(1)])).toBe(1);
    expect(machine.context.x(1)).toBe(0x1234n);
  });

  it.each([
    ['a write to a page that is read-only', page | READ_ONLY, strX(1, 0), ExceptionClass.DataAbortSame, WNR | 0xf],
    [
      'execution of a page that is execute-never',
      page | Descriptor.Uxn,
      br(0),
      ExceptionClass.InstructionAbortSame,
      0xf,
    ],
    ['a page that is not mapped', 0n, ldrX(1, 0), ExceptionClass.DataAbortSame, 0x7],
  ])('takes %s to EL2', (_name, descriptor, word, ec, iss) => {
    enable(descriptor);
    machine.context.setX(0, BigInt(GUEST));
    expect(machine.runAt(Mode.El2h, [word])).toBe(0x200);
    expect(machine.syndrome).toEqual([ec, iss]);
    expect(machine.el2('FAR')).toBe(BigInt(GUEST));
  });

  it('has one range of addresses', () => {
    enable(page);
    machine.context.setX(0, 0xffff_ffff_ffff_f000n);
    expect(machine.runAt(Mode.El2h, [ldrX(1, 0)])).toBe(0x200);
    expect(machine.syndrome[1]).toBe(0x4);
  });

  it('keeps entries until TLBI is executed', () => {
    enable(page);
    const read = (): bigint => {
      machine.context.setX(0, BigInt(GUEST));
      machine.runAt(Mode.El2h, [ldrX(1, 0), movz(0, GUEST >> 12), smc(1)]);
      return machine.context.x(1);
    };
    expect(read()).toBe(0x1234n);
    machine.poke(OTHER[2] + (GUEST >> 12) * 8, page + BigInt(PAGE));
    const tlbiVae2is = 0xd50c_8320;
    machine.poke(DATA + PAGE, 9n);
    machine.runAt(Mode.El2h, [tlbiVae2is, smc(1)]);
    expect(read()).toBe(9n);
  });

  it('is another one when HCR_EL2.E2H changes, whatever TCR_EL2 is', () => {
    // The half that only one of them has is off in both.
    enable(page);
    machine.context.setSysreg(sysreg.TCR_EL2, 25n | (1n << 23n));
    machine.context.setX(0, BigInt(GUEST));
    machine.runAt(Mode.El2h, [ldrX(1, 0), smc(1)]);
    machine.poke(OTHER[2] + (GUEST >> 12) * 8, 0n);
    machine.hcr(0, HcrHigh.E2H);
    machine.context.setX(0, BigInt(GUEST));
    expect(machine.runAt(Mode.El2h, [ldrX(1, 0), smc(1)])).toBe(0x200);
  });
});
