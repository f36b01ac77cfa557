import { beforeEach, describe, expect, it } from 'vitest';

import { sysreg } from '../pe/system-registers.ts';
import { Descriptor, Tcr } from '../testing/table-builder.ts';
import {
  addImm,
  br,
  ELR_EL1,
  eret,
  ESR_EL1,
  FAR_EL1,
  hvc,
  isb,
  ldrX,
  ldtrX,
  movz,
  mrs,
  msr,
  nop,
  SCTLR_EL1,
  SPSR_EL1,
  strX,
  svc,
  TestMachine,
} from '../testing/test-machine.ts';
import { type CpuContext, ExceptionClass, Permission, RunExit } from '../types.ts';
import { Sctlr } from './stage1-walk.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const { AccessFlag: AF, Page, Table, User, ReadOnly, Uxn, Pxn } = Descriptor;

/** Tables of levels 1 to 3 for the first 2 MiB; IPAs. */
const [LEVEL1, LEVEL2, LEVEL3] = [0x4_0000, 0x4_1000, 0x4_2000];
const OTHER_DATA = 0x4_3000;
/** Page 0 is never mapped; these are the tests' own. */
const [V_DATA, V_DEVICE, V_USER, V_MMIO] = [0x5_0000, 0x5_1000, 0x5_2000, 0x5_3000];
const MMIO = 0x9_0000;
const DEVICE = Descriptor.attributes(1);
/** Attr0 is Normal Write-Back, Attr1 Device-nGnRE. */
const MAIR = 0x04ffn;
const TCR = Tcr.t0sz(39) | Tcr.Epd1 | Tcr.ips(5);
const RESET_SCTLR = 0xc5_0878n;
const TLBI_VMALLE1 = 0xd508_871f;
const TLBI_VAE1IS = 0xd508_8320;
const EL1H = 0x3c5;
/** The word that a load must not return from a page that it may not read. */
const [FIRST, SECOND] = [0x1111n, 0x2222n];

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  [LEVEL1, LEVEL2, LEVEL3, OTHER_DATA].forEach((ipa, index) => {
    machine.stage2.map(ipa, 8 + index);
    for (let at = 0; at < 4096; at += 8) poke(ipa + at, 0n);
  });
  poke(LEVEL1, BigInt(LEVEL2) | Table);
  poke(LEVEL2, BigInt(LEVEL3) | Table);
  for (const page of [CODE, CODE + 4096, VECTORS]) map(page, page, ReadOnly | User);
  map(V_DATA, DATA);
  map(V_DEVICE, DATA, DEVICE);
  map(V_USER, DATA, User | Pxn | Uxn);
  map(V_MMIO, MMIO, DEVICE);
  poke(DATA, FIRST);
  poke(OTHER_DATA, SECOND);
  enable(machine.context);
});

function poke(ipa: number, value: bigint): void {
  machine.memory.view.setBigUint64(machine.offset(ipa), value, true);
}

/** Maps a page, as a guest that writes its tables; no maintenance. */
function map(va: number, ipa: number, attributes = 0n): void {
  poke(LEVEL3 + (va >> 12) * 8, BigInt(ipa) | attributes | AF | Page);
}

/** Turns the MMU on, as a monitor that sets registers. */
function enable(context: CpuContext, sctlr = 0n): void {
  context.setSysreg(sysreg.MAIR_EL1, MAIR);
  context.setSysreg(sysreg.TCR_EL1, TCR);
  context.setSysreg(sysreg.TTBR0_EL1, BigInt(LEVEL1));
  context.setSysreg(SCTLR_EL1, RESET_SCTLR | 1n | sctlr);
}

/** Runs code at EL1, or at EL0, to an HVC or an exit. @returns the exit's class */
function run(code: readonly number[], el: 0 | 1 = 1): number {
  machine.load(code);
  machine.context.pc = BigInt(CODE);
  machine.context.pstate = el === 0 ? 0 : EL1H | (machine.context.pstate & (1 << 22));
  return go();
}

function go(): number {
  let exit: RunExit = RunExit.Budget;
  for (let slice = 0; slice < 100 && exit === RunExit.Budget; slice += 1) exit = machine.vcpu.run(10_000);
  expect(exit).toBe(RunExit.Sync);
  return machine.vcpu.exit.ec;
}

/** Loads with X1. @returns the value, or ESR_EL1 in words if the load faults */
function load(address: number | bigint, word = ldrX(2, 1)): bigint | string {
  machine.context.setX(1, BigInt(address));
  expect(run([word, hvc(0)])).toBe(ExceptionClass.Hvc64);
  return machine.context.pc === BigInt(CODE + 8) ? machine.context.x(2) : fault();
}

function fault(): string {
  const esr = Number(machine.context.sysreg(ESR_EL1));
  const far = machine.context.sysreg(FAR_EL1) ?? 0n;
  return `0x${esr.toString(16)} at 0x${far.toString(16)}`;
}

describe('stage 1 and stage 2', () => {
  it('translate fetches and data, and what neither forbids is allowed', () => {
    expect(load(V_DATA)).toBe(FIRST);
    machine.stage2.map(DATA, 5, Permission.R);
    machine.cpu.invalidate(machine.stage2);
    expect(load(V_DATA)).toBe(FIRST);
    expect(run([strX(2, 1)])).toBe(ExceptionClass.DataAbortLower);
    expect(machine.vcpu.exit).toMatchObject({ ipa: DATA, permission: true, write: true });
  });

  it('leave MMIO to EL2, with the syndrome, the VA in FAR_EL2 and the IPA in HPFAR_EL2', () => {
    machine.context.setX(1, BigInt(V_MMIO + 0x18));
    expect(run([nop, strX(3, 1)])).toBe(ExceptionClass.DataAbortLower);
    const { esr, ipa, write, permission } = machine.vcpu.exit;
    // ISV, SAS 3, SRT 3, SF, WnR, Translation fault at level 3.
    expect(esr & 0x1ff_ffff).toBe((1 << 24) | (3 << 22) | (3 << 16) | (1 << 15) | (1 << 6) | 0x07);
    expect({ ipa, write, permission }).toEqual({ ipa: MMIO + 0x18, write: true, permission: false });
    const { view } = machine.memory;
    expect(view.getBigUint64(machine.vcpu.el2.far, true)).toBe(BigInt(V_MMIO + 0x18));
    expect(view.getBigUint64(machine.vcpu.el2.hpfar, true)).toBe(BigInt(MMIO >> 8));
    expect(machine.context.pc).toBe(BigInt(CODE + 4));
  });

  it.each([
    ['a load', ldrX(2, 1), 0n, 0x87, false],
    ['a store', strX(2, 1), 0n, 0xc7, true],
    ['a fetch', br(1), 0n, 0x87, false],
    ['a store, where the table may not be read', strX(2, 1), 1n, 0xcf, true],
    ['AT', 0xd508_7801, 0n, 0x1c7, true],
    ['cache maintenance', 0xd50b_7b21, 0n, 0x1c7, true],
  ])('report a table walk that stage 2 stops to EL2: %s', (_name, word, present, iss, write) => {
    const table = 0x6_0000;
    if (present === 1n) machine.stage2.map(table, 12, Permission.W);
    poke(LEVEL2 + 8, BigInt(table) | Table);
    const va = 0x20_0000 + 0x7008;
    machine.context.setX(1, BigInt(va));
    const abort = word === br(1) ? ExceptionClass.InstructionAbortLower : ExceptionClass.DataAbortLower;
    expect(run([word])).toBe(abort);
    expect(machine.vcpu.exit).toMatchObject({ ipa: table + 7 * 8, write, permission: present === 1n });
    expect(machine.vcpu.exit.esr & 0x1ff_ffff).toBe(iss);
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.far, true)).toBe(BigInt(va));
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.hpfar, true)).toBe(BigInt(table >> 8));
  });
});

describe('memory types', () => {
  it('misaligned accesses fault on Device memory, before permissions, and not on Normal memory', () => {
    poke(DATA + 8, 0n);
    expect(load(V_DATA + 1)).toBe(FIRST >> 8n);
    expect(load(V_DEVICE + 1)).toBe('0x96000021 at 0x51001');
    map(V_DEVICE, DATA, DEVICE | ReadOnly);
    machine.context.setX(1, BigInt(V_DEVICE + 1));
    run([TLBI_VMALLE1, strX(2, 1)]);
    expect(fault()).toBe('0x96000061 at 0x51001');
    expect(load(V_MMIO + 4)).toBe('0x96000021 at 0x53004');
  });

  it('SCTLR_EL1.A lets them fault on every type, before translation', () => {
    enable(machine.context, BigInt(Sctlr.A));
    expect(load(V_DATA + 1)).toBe('0x96000021 at 0x50001');
    expect(load(1)).toBe('0x96000021 at 0x1');
    expect(load(V_DATA + 8)).toBe(0n);
  });

  it('DC ZVA faults on Device memory and zeroes 64 bytes of Normal memory', () => {
    poke(DATA + 0x40, 5n);
    poke(DATA + 0x78, 6n);
    poke(DATA + 0x80, 7n);
    const dcZva = 0xd50b_7421; // X1
    expect(load(V_DEVICE + 0x48, dcZva)).toBe('0x96000061 at 0x51048');
    // Also where a store to the page has gone before.
    machine.context.setX(1, BigInt(V_DEVICE + 0x200));
    run([strX(31, 1), dcZva, hvc(0)]);
    expect(fault()).toBe('0x96000061 at 0x51200');
    load(V_DATA + 0x48, dcZva);
    expect([0x40, 0x78, 0x80].map((at) => load(V_DATA + at))).toEqual([0n, 0n, 7n]);
  });

  it('DC ZVA over code has it decoded again', () => {
    map(V_DATA, CODE + 4096);
    machine.context.setX(1, BigInt(V_DATA));
    machine.write(CODE + 4096, [movz(0, 1), hvc(7)]);
    machine.context.pc = BigInt(CODE + 4096);
    go();
    expect(machine.context.x(0)).toBe(1n);
    machine.context.setX(3, BigInt(CODE + 4096));
    expect(run([TLBI_VMALLE1, 0xd50b_7421, br(3)])).toBe(ExceptionClass.Hvc64);
    expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(CODE + 4096));
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.Unknown);
  });
});

describe('TLBs', () => {
  it.each([
    ['VMALLE1', 0xd508_871f],
    ['VAE1', 0xd508_8723],
    ['ASIDE1', 0xd508_8743],
    ['VAAE1', 0xd508_8763],
    ['VALE1', 0xd508_87a3],
    ['VAALE1', 0xd508_87e3],
    ['VMALLE1IS', 0xd508_831f],
    ['VAE1IS', 0xd508_8323],
    ['ASIDE1IS', 0xd508_8343],
    ['VAAE1IS', 0xd508_8363],
    ['VALE1IS', 0xd508_83a3],
    ['VAALE1IS', 0xd508_83e3],
  ])('TLBI %s makes a new mapping seen', (_name, tlbi) => {
    machine.context.setX(1, BigInt(V_DATA));
    machine.context.setX(3, BigInt(V_DATA >> 12));
    machine.context.setX(4, BigInt(OTHER_DATA) | AF | Page);
    map(V_USER, LEVEL3);
    const entry = LEVEL3 + (V_DATA >> 12) * 8;
    machine.context.setX(5, BigInt(V_USER + (entry - LEVEL3)));
    run([ldrX(2, 1), strX(4, 5), tlbi, isb, ldrX(6, 1), hvc(0)]);
    expect([machine.context.x(2), machine.context.x(6)]).toEqual([FIRST, SECOND]);
  });

  it('TLBI reaches the other vCPUs of a VM', () => {
    expect(load(V_DATA)).toBe(FIRST);
    map(V_DATA, OTHER_DATA);
    const first = machine.context;
    const other = machine.cpu.createVcpu(1);
    const context = other.createContext(machine.stage2);
    other.activate(context);
    enable(context);
    context.setX(0, BigInt(V_DATA >> 12));
    context.pc = BigInt(CODE + 4096);
    machine.write(CODE + 4096, [TLBI_VAE1IS, hvc(3)]);
    expect(other.run(10_000)).toBe(RunExit.Sync);
    machine.vcpu.activate(first);
    expect(load(V_DATA)).toBe(SECOND);
  });

  describe.each([
    ['the guest', false],
    ['a monitor', true],
  ])('hold nothing old after %s wrote', (_who, monitor) => {
    /** Runs a word with X1 after a register was written. @returns the exit's class */
    function after(encoding: number, value: bigint, word: number): number {
      machine.context.setX(1, BigInt(V_DATA));
      machine.context.setX(7, value);
      if (monitor) machine.context.setSysreg(encoding, value);
      return run(monitor ? [word, hvc(0)] : [msr(encoding, 7), isb, word, hvc(0)]);
    }

    it('TTBR0_EL1', () => {
      const tables = [0x4_4000, 0x4_5000, 0x4_6000] as const;
      tables.forEach((ipa, index) => {
        machine.stage2.map(ipa, 12 + index);
      });
      for (let at = 0; at < 4096; at += 8) {
        poke(tables[2] + at, machine.memory.view.getBigUint64(machine.offset(LEVEL3 + at), true));
      }
      poke(tables[0], BigInt(tables[1]) | Table);
      poke(tables[1], BigInt(tables[2]) | Table);
      poke(tables[2] + (V_DATA >> 12) * 8, BigInt(OTHER_DATA) | AF | Page);
      expect(load(V_DATA)).toBe(FIRST);
      after(sysreg.TTBR0_EL1, BigInt(tables[0]) | (1n << 48n), ldrX(2, 1));
      expect(machine.context.x(2)).toBe(SECOND);
    });

    it('TCR_EL1', () => {
      poke(LEVEL2, BigInt(LEVEL3) | Table | Descriptor.ReadOnlyTable);
      machine.context.setSysreg(sysreg.TCR_EL1, TCR | Tcr.Hpd0);
      load(V_DATA, strX(31, 1));
      expect(machine.context.pc).toBe(BigInt(CODE + 8));
      after(sysreg.TCR_EL1, TCR, strX(31, 1));
      expect(fault()).toBe('0x9600004f at 0x50000');
    });

    it('SCTLR_EL1', () => {
      expect(load(V_DATA)).toBe(FIRST);
      expect(after(SCTLR_EL1, RESET_SCTLR, ldrX(2, 1))).toBe(ExceptionClass.DataAbortLower);
      expect(machine.vcpu.exit.ipa).toBe(V_DATA);
    });
  });

  it('turning the MMU on and off changes how fetches and loads translate', () => {
    map(0x7_0000, CODE + 4096, ReadOnly);
    machine.write(CODE + 4096, [ldrX(2, 1), hvc(1)]);
    machine.context.setX(1, BigInt(V_DATA));
    machine.context.pc = 0x7_0000n;
    expect(go()).toBe(ExceptionClass.Hvc64);
    expect([machine.context.x(2), machine.context.pc]).toEqual([FIRST, 0x7_0008n]);
    machine.context.setX(7, RESET_SCTLR);
    machine.context.setX(8, BigInt(DATA));
    run([msr(SCTLR_EL1, 7), isb, ldrX(3, 8), addImm(7, 7, 1), msr(SCTLR_EL1, 7), isb, ldrX(4, 1), hvc(2)]);
    expect([machine.context.x(3), machine.context.x(4)]).toEqual([FIRST, FIRST]);
  });
});

describe('privileges', () => {
  it('LDTR at EL1 has those of EL0, in both directions', () => {
    expect(load(V_DATA)).toBe(FIRST);
    expect(load(V_DATA, ldtrX(2, 1))).toBe('0x9600000f at 0x50000');
    expect(load(V_USER, ldtrX(2, 1))).toBe(FIRST);
    // The entry that LDTR made does not serve EL1.
    machine.context.pstate = EL1H | (1 << 22);
    expect(load(V_USER)).toBe('0x9600000f at 0x52000');
    expect(load(V_USER, ldtrX(2, 1))).toBe(FIRST);
  });

  it('PSTATE.PAN keeps EL1 from data of EL0, whatever TLBs hold', () => {
    const setPan = 0xd500_419f; // MSR PAN, #1
    const clearPan = 0xd500_409f;
    machine.context.setX(1, BigInt(V_USER));
    run([ldrX(2, 1), setPan, mrs(4, sysreg.PAN), clearPan, ldrX(3, 1), hvc(0)]);
    expect([machine.context.x(2), machine.context.x(3), machine.context.x(4)]).toEqual([FIRST, FIRST, 1n << 22n]);
    run([ldrX(2, 1), setPan, ldrX(2, 1), hvc(0)]);
    expect(fault()).toBe('0x9600000f at 0x52000');
    expect(run([setPan], 0)).toBe(ExceptionClass.Hvc64);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.Unknown);
  });

  it('an exception sets PAN where SCTLR_EL1.SPAN is clear', () => {
    machine.write(VECTORS + 0x400, [ldrX(2, 1), hvc(8)]);
    machine.context.setX(1, BigInt(V_USER));
    expect(run([ldrX(2, 1), svc(0)], 0)).toBe(ExceptionClass.Hvc64);
    expect(machine.vcpu.exit.esr & 0xffff).toBe(8);
    machine.context.setSysreg(SCTLR_EL1, (RESET_SCTLR & ~(1n << 23n)) | 1n);
    expect(run([ldrX(2, 1), svc(0)], 0)).toBe(ExceptionClass.Hvc64);
    expect(machine.vcpu.exit.esr & 0xffff).toBe(0x200);
    expect(fault()).toBe('0x9600000f at 0x52000');
  });

  it('an atomic instruction reports a write only where it could have read', () => {
    const ldadd = 0xf822_0023; // LDADD X2, X3, [X1]
    map(V_DATA, DATA, ReadOnly);
    expect(load(V_DATA, ldadd)).toBe('0x9600004f at 0x50000');
    expect(load(V_DATA + 0x8000, ldadd)).toBe('0x96000007 at 0x58000');
  });
});

describe('cache maintenance by address', () => {
  const dcCvau = 0xd50b_7b21; // X1
  const dcIvac = 0xd508_7621;
  it('faults like an access, as a write with ISS.CM', () => {
    expect(load(0, dcCvau)).toBe('0x96000147 at 0x0');
    map(V_DATA, DATA, ReadOnly);
    load(V_DATA, dcCvau);
    expect(machine.context.pc).toBe(BigInt(CODE + 8));
    expect(load(V_DATA, dcIvac)).toBe('0x9600014f at 0x50000');
  });

  it('needs permission to read at EL0', () => {
    machine.context.setSysreg(SCTLR_EL1, RESET_SCTLR | 1n | (1n << 26n));
    machine.context.setX(1, BigInt(V_DATA));
    run([dcCvau, svc(0)], 0);
    expect(fault()).toBe('0x9200014f at 0x50000');
    machine.context.setX(1, BigInt(V_USER));
    run([dcCvau, svc(0)], 0);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.Svc64);
  });

  it('does nothing where only stage 2 has no mapping, and with the MMU off', () => {
    load(V_MMIO, dcCvau);
    expect(machine.context.pc).toBe(BigInt(CODE + 8));
    machine.context.setSysreg(SCTLR_EL1, RESET_SCTLR);
    load(0, dcCvau);
    expect(machine.context.pc).toBe(BigInt(CODE + 8));
  });
});

describe('tags', () => {
  it('are ignored where TCR_EL1.TBI0 says so: by accesses, and by branches, which drop them', () => {
    const tagged = BigInt(V_DATA + 8) | (0xa5n << 56n);
    expect(load(tagged)).toBe('0x96000004 at 0xa500000000050008');
    machine.context.setSysreg(sysreg.TCR_EL1, TCR | Tcr.Tbi0);
    poke(DATA + 8, 9n);
    expect(load(tagged)).toBe(9n);
    expect(load(tagged + 0x8000n)).toBe('0x96000007 at 0xa500000000058008');
    machine.context.setX(3, BigInt(CODE + 4096) | (0xa5n << 56n));
    machine.write(CODE + 4096, [hvc(4)]);
    run([br(3)]);
    expect(machine.context.pc).toBe(BigInt(CODE + 4100));
  });

  it('are in FAR_EL2 too', () => {
    machine.context.setSysreg(sysreg.TCR_EL1, TCR | Tcr.Tbi0);
    const tagged = BigInt(V_MMIO + 8) | (0xa5n << 56n);
    machine.context.setX(1, tagged);
    expect(run([ldrX(2, 1)])).toBe(ExceptionClass.DataAbortLower);
    expect(machine.memory.view.getBigUint64(machine.vcpu.el2.far, true)).toBe(tagged);
    expect(machine.vcpu.exit.ipa).toBe(MMIO + 8);
  });
});

describe('AT', () => {
  /** AT with X1. @returns PAR_EL1 */
  function translate(crm: number, op2: number, address: number | bigint, before: readonly number[] = []): bigint {
    machine.context.setX(1, BigInt(address));
    run([...before, 0xd508_7001 | (crm << 8) | (op2 << 5), mrs(2, sysreg.PAR_EL1), hvc(0)]);
    return machine.context.x(2);
  }
  const setPan = 0xd500_419f;

  it.each([
    ['S1E1R', 8, 0, V_DATA, (0xffn << 56n) | BigInt(DATA) | 0x800n],
    ['S1E1W, Device', 8, 1, V_DEVICE + 5, (0x04n << 56n) | BigInt(DATA) | 0x900n],
    ['S1E0R', 8, 2, V_USER, (0xffn << 56n) | BigInt(DATA) | 0x800n],
    ['S1E0W of EL1', 8, 3, V_DATA, 0x81fn],
    ['S1E1W, read-only', 8, 1, CODE, 0x81fn],
    ['S1E1R, not mapped', 8, 0, 0, 0x80fn],
    ['S1E1R beyond the half', 8, 0, 2 ** 40, 0x809n],
    ['S1E1R of what stage 2 does not map', 8, 0, V_MMIO, (0x04n << 56n) | BigInt(MMIO) | 0x900n],
  ])('%s', (_name, crm, op2, address, par) => {
    expect(translate(crm, op2, address)).toBe(par);
  });

  it('S1E1RP and S1E1WP heed PSTATE.PAN, the others do not', () => {
    for (const op2 of [0, 1]) {
      expect(translate(9, op2, V_USER) & 1n).toBe(0n);
      expect(translate(9, op2, V_USER, [setPan]) & 0x7fn).toBe(0x1fn);
      expect(translate(8, op2, V_USER, [setPan]) & 1n).toBe(0n);
      machine.context.pstate = EL1H;
    }
  });

  it('gives the address itself, as Device-nGnRnE, with the MMU off', () => {
    machine.context.setSysreg(SCTLR_EL1, RESET_SCTLR);
    expect(translate(8, 0, 0x7654_3210)).toBe(0x7654_3900n);
    expect(translate(8, 0, 1n << 48n)).toBe(0x801n);
  });

  it('is undefined at EL0', () => {
    run([0xd508_7801], 0);
    expect(Number(machine.context.sysreg(ESR_EL1)) >>> 26).toBe(ExceptionClass.Unknown);
  });
});

it('EL0 runs what EL1 may not, and returns by SVC', () => {
  map(V_USER, DATA, User | ReadOnly | Pxn);
  machine.write(DATA, [addImm(5, 5, 1), svc(6)]);
  machine.write(VECTORS + 0x400, [addImm(6, 6, 1), hvc(0x66)]);
  machine.context.setSysreg(ELR_EL1, BigInt(V_USER));
  machine.context.setSysreg(SPSR_EL1, 0n);
  run([TLBI_VMALLE1, eret]);
  expect([machine.context.x(5), machine.context.x(6)]).toEqual([1n, 1n]);
  expect(machine.vcpu.exit.esr & 0xffff).toBe(0x66);
  machine.context.setX(1, BigInt(V_USER));
  run([br(1)]);
  expect(fault()).toBe('0x8600000f at 0x52000');
});
