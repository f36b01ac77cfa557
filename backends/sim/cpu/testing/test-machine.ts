import { DRAM_OFFSET, LinearMemory, Permission } from '../index.ts';
import { MachineCpu } from '../machine-cpu.ts';
import type { ContextOptions, CpuContext, CpuOptions, Stage2, Stage2Mapping, Vcpu } from '../types.ts';

const PAGE = 4096;
const ALL = Permission.R | Permission.W | Permission.XEl0 | Permission.XEl1;

/** A stage 2 for tests: each page is mapped on its own, to any place. */
export class TestStage2 implements Stage2 {
  readonly pages = new Map<number, Stage2Mapping>();

  translate(ipa: number): Stage2Mapping {
    return this.pages.get(ipa) ?? { offset: -1, permissions: 0, level: 3 };
  }
  map(ipa: number, physicalPage: number, permissions: number = ALL): void {
    this.pages.set(ipa, { offset: DRAM_OFFSET + physicalPage * PAGE, permissions, level: 3 });
  }
}

/** A vCPU with code at 0x10000, data at 0x20000 to 0x21fff (physically not contiguous) and vectors at 0x30000. */
export class TestMachine {
  static readonly CODE = 0x1_0000;
  static readonly DATA = 0x2_0000;
  static readonly VECTORS = 0x3_0000;
  readonly memory = new LinearMemory(DRAM_OFFSET + 16 * PAGE + 65536 - ((16 * PAGE) % 65536 || 65536));
  readonly cpu: MachineCpu;
  readonly stage2 = new TestStage2();
  readonly vcpu: Vcpu;
  readonly context: CpuContext;

  constructor(options: CpuOptions = {}, contextOptions: ContextOptions = {}) {
    this.cpu = new MachineCpu(this.memory, options);
    this.vcpu = this.cpu.createVcpu(0);
    this.context = this.vcpu.createContext(this.stage2, contextOptions);
    this.stage2.map(TestMachine.CODE, 0);
    this.stage2.map(TestMachine.CODE + PAGE, 1);
    this.stage2.map(TestMachine.DATA, 5);
    this.stage2.map(TestMachine.DATA + PAGE, 3);
    this.stage2.map(TestMachine.VECTORS, 7);
    this.vcpu.activate(this.context);
    this.context.setSysreg(VBAR_EL1, BigInt(TestMachine.VECTORS));
    this.context.setSysreg(CPACR_EL1, 3n << 20n);
    this.context.pc = BigInt(TestMachine.CODE);
    // Each vector ends the run: HVC #offset.
    for (let vector = 0; vector < 0x800; vector += 0x80) this.write(TestMachine.VECTORS + vector, [hvc(vector)]);
  }

  offset(ipa: number): number {
    const page = ipa - (ipa % PAGE);
    return this.stage2.translate(page).offset + (ipa - page);
  }

  /** Writes instruction or data words at an IPA as the host does, and notifies the CPU. */
  write(ipa: number, words: readonly number[]): void {
    words.forEach((word, index) => this.memory.view.setUint32(this.offset(ipa + index * 4), word, true));
    this.cpu.wrote(this.offset(ipa), words.length * 4);
  }

  load(words: readonly number[]): void {
    this.write(TestMachine.CODE, words);
  }
}

export const VBAR_EL1 = 0xc600;
export const CPACR_EL1 = 0xc082;
export const SCTLR_EL1 = 0xc080;
export const ESR_EL1 = 0xc290;
export const ELR_EL1 = 0xc201;
export const FAR_EL1 = 0xc300;
export const SPSR_EL1 = 0xc200;

/** A few encodings, with the names, offsets and immediates of assembly language. */
export const movz = (rd: number, imm16: number, hw = 0): number => (0xd280_0000 | (hw << 21) | (imm16 << 5) | rd) >>> 0;
export const movk = (rd: number, imm16: number, hw: number): number =>
  (0xf280_0000 | (hw << 21) | (imm16 << 5) | rd) >>> 0;
export const addImm = (rd: number, rn: number, imm: number): number =>
  (0x9100_0000 | (imm << 10) | (rn << 5) | rd) >>> 0;
export const subsImm = (rd: number, rn: number, imm: number): number =>
  (0xf100_0000 | (imm << 10) | (rn << 5) | rd) >>> 0;
export const b = (offset: number): number => (0x1400_0000 | ((offset >> 2) & 0x3ff_ffff)) >>> 0;
export const bl = (offset: number): number => (0x9400_0000 | ((offset >> 2) & 0x3ff_ffff)) >>> 0;
export const bCond = (cond: number, offset: number): number =>
  (0x5400_0000 | (((offset >> 2) & 0x7_ffff) << 5) | cond) >>> 0;
export const br = (rn: number): number => (0xd61f_0000 | (rn << 5)) >>> 0;
export const blr = (rn: number): number => (0xd63f_0000 | (rn << 5)) >>> 0;
/** ADR and LDR (literal) with the offset from the instruction, ADRP with the offset from its page, in bytes. */
export const adr = (rd: number, offset: number): number =>
  (0x1000_0000 | ((offset & 3) << 29) | (((offset >> 2) & 0x7_ffff) << 5) | rd) >>> 0;
export const adrp = (rd: number, offset: number): number => (adr(rd, offset >> 12) | 0x8000_0000) >>> 0;
export const ldrLiteral = (rt: number, offset: number): number =>
  (0x5800_0000 | (((offset >> 2) & 0x7_ffff) << 5) | rt) >>> 0;
export const ret = 0xd65f_03c0;
export const svc = (imm: number): number => (0xd400_0001 | (imm << 5)) >>> 0;
export const hvc = (imm: number): number => (0xd400_0002 | (imm << 5)) >>> 0;
export const smc = (imm: number): number => (0xd400_0003 | (imm << 5)) >>> 0;
export const brk = (imm: number): number => (0xd420_0000 | (imm << 5)) >>> 0;
export const eret = 0xd69f_03e0;
export const wfi = 0xd503_207f;
export const wfe = 0xd503_205f;
export const nop = 0xd503_201f;
export const ldrX = (rt: number, rn: number, offset = 0): number =>
  (0xf940_0000 | ((offset >> 3) << 10) | (rn << 5) | rt) >>> 0;
export const strX = (rt: number, rn: number, offset = 0): number =>
  (0xf900_0000 | ((offset >> 3) << 10) | (rn << 5) | rt) >>> 0;
export const strW = (rt: number, rn: number, offset = 0): number =>
  (0xb900_0000 | ((offset >> 2) << 10) | (rn << 5) | rt) >>> 0;
export const stpX = (rt: number, rt2: number, rn: number): number => (0xa900_0000 | (rt2 << 10) | (rn << 5) | rt) >>> 0;
export const ldpX = (rt: number, rt2: number, rn: number): number => (0xa940_0000 | (rt2 << 10) | (rn << 5) | rt) >>> 0;
export const ldrQ = (rt: number, rn: number): number => (0x3dc0_0000 | (rn << 5) | rt) >>> 0;
export const ldxrX = (rt: number, rn: number): number => (0xc85f_7c00 | (rn << 5) | rt) >>> 0;
export const stxrX = (rs: number, rt: number, rn: number): number => (0xc800_7c00 | (rs << 16) | (rn << 5) | rt) >>> 0;
export const clrex = 0xd503_3f5f;
export const sev = 0xd503_209f;
export const sevl = 0xd503_20bf;
export const cbnzX = (rt: number, offset: number): number =>
  (0xb500_0000 | (((offset >> 2) & 0x7_ffff) << 5) | rt) >>> 0;
export const cbzX = (rt: number, offset: number): number => (cbnzX(rt, offset) & ~0x0100_0000) >>> 0;
export const ldaddX = (rs: number, rt: number, rn: number): number => (0xf820_0000 | (rs << 16) | (rn << 5) | rt) >>> 0;
export const swpX = (rs: number, rt: number, rn: number): number => (ldaddX(rs, rt, rn) | 0x8000) >>> 0;
export const isb = 0xd503_3fdf;
export const ldtrX = (rt: number, rn: number): number => (0xf840_0800 | (rn << 5) | rt) >>> 0;
/** MSR and MRS by the encoding of pe/system-registers.ts. */
export const msr = (encoding: number, rt: number): number => (0xd510_0000 | ((encoding & 0x7fff) << 5) | rt) >>> 0;
export const mrs = (rt: number, encoding: number): number => (0xd530_0000 | ((encoding & 0x7fff) << 5) | rt) >>> 0;
