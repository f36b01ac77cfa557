import { DRAM_OFFSET, LinearMemory, RunExit, ExceptionClass, Permission } from '../index.ts';
import { MachineCpu } from '../machine-cpu.ts';
import { noteModes } from '../float/exact-unit.ts';
import { ContextState, Record, VcpuState } from '../layout.ts';
import { sysreg } from '../pe/system-registers.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { PAGE_BYTES, RegisterFile, SCRATCH_PAGE, SLOT_PAGE, type Case, type Outcome } from './registers.ts';

/** Executes cases on this engine. */

const HVC = 0xd400_0002;
const MEMORY_BYTES = DRAM_OFFSET + 16 * 65_536;
const CPACR_EL1 = 0xc082;
const ESR_EL1 = 0xc290;
const TCR_EL1 = 0xc102;
const SCTLR_EL1 = 0xc080;
const KEYS = ['IA', 'IB', 'DA', 'DB', 'GA'] as const;
/** SCTLR_EL1.EnIA, EnIB, EnDA, EnDB. */
const POINTER_KEYS_ENABLED = (1n << 31n) | (1n << 30n) | (1n << 27n) | (1n << 13n);
/** TCR_EL1.TBI0 and T0SZ of QEMU's user mode, on which XPACI and XPACD depend. */
const USER_MODE_TCR = (1n << 37n) | 5n;
/** Enough for the charges of decoding a case and loading its handlers. */
const BUDGET = 1_000_000;
const MAX_ATTEMPTS = 4;
/** Cases on one page of code, each followed by an instruction that ends it. */
const CASES_PER_PAGE = PAGE_BYTES / 8;

/** Address of the n-th case; cases are executed in the order of their addresses, a page at a time. */
export function casePc(index: number): number {
  return SLOT_PAGE + (index % CASES_PER_PAGE) * 8;
}

/** Whether the interpreter executes cases, or code compiled for each of them. */
export type Tier = 'interpreted' | 'compiled';

export class Subject {
  readonly #memory = new LinearMemory(MEMORY_BYTES);
  readonly #cpu = new MachineCpu(this.#memory);
  readonly #vcpu = this.#cpu.createVcpu(0);
  readonly #context;
  readonly #code = DRAM_OFFSET;
  readonly #scratch = DRAM_OFFSET + PAGE_BYTES;
  readonly #pattern: Uint8Array;

  /** @param pattern contents of the scratch page before each case */
  constructor(pattern: Uint8Array) {
    this.#pattern = pattern;
    const permissions = Permission.R | Permission.W | Permission.XEl0 | Permission.XEl1;
    this.#context = this.#vcpu.createContext({
      translate: (ipa) => {
        if (ipa === SLOT_PAGE) return { offset: this.#code, permissions, level: 3 };
        if (ipa === SCRATCH_PAGE) return { offset: this.#scratch, permissions, level: 3 };
        return { offset: -1, permissions: 0, level: 3 };
      },
    });
    this.#vcpu.activate(this.#context);
    this.#context.setSysreg(CPACR_EL1, 3n << 20n);
    this.#context.setSysreg(TCR_EL1, USER_MODE_TCR);
    this.#context.setSysreg(SCTLR_EL1, (this.#context.sysreg(SCTLR_EL1) ?? 0n) | POINTER_KEYS_ENABLED);
    for (const [index, key] of KEYS.entries()) {
      this.#context.setSysreg(sysreg[`AP${key}KeyLo_EL1`], 0x0123_4567_89ab_cdefn * BigInt(index + 1));
      this.#context.setSysreg(sysreg[`AP${key}KeyHi_EL1`], 0x7edc_ba98_7654_3210n ^ BigInt(index));
    }
  }

  run(cases: readonly Case[], tier: Tier = 'interpreted'): Outcome[] {
    const outcomes: Outcome[] = [];
    for (let from = 0; from < cases.length; from += CASES_PER_PAGE) {
      const page = cases.slice(from, from + CASES_PER_PAGE);
      for (const { word, pc } of page) {
        const at = (this.#code + (pc - SLOT_PAGE)) >> 2;
        this.#memory.u32[at] = word;
        this.#memory.u32[at + 1] = HVC;
      }
      this.#cpu.wrote(this.#code, PAGE_BYTES);
      for (const item of page) {
        if (tier === 'compiled') this.#compile(item);
        outcomes.push(this.#execute(item));
      }
    }
    return outcomes;
  }

  /** Compiles a block that starts at a case. Others on the same page may be compiled with it. */
  #compile(item: Case): void {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const page = this.#cpu.code.find(this.#code, SLOT_PAGE, true);
      const record = (page?.records ?? 0) + ((item.pc - SLOT_PAGE) / 4) * Record.Bytes;
      if (page !== undefined && isBlock(this.#memory.u16[record >> 1] ?? 0)) return;
      // Only decoded code can be compiled, and all of it is discarded when the table is worn.
      this.#execute(item);
      const decoded = this.#cpu.code.find(this.#code, SLOT_PAGE, true);
      if (decoded !== undefined) this.#cpu.compile(decoded, item.pc);
    }
    throw new Error(`${item.name} 0x${item.word.toString(16)} was not compiled`);
  }

  #execute({ pc, registers }: Case): Outcome {
    const { u8, u64 } = this.#memory;
    const view = new DataView(registers.buffer, registers.byteOffset);
    u8.set(this.#pattern, this.#scratch);
    this.#context.pstate = 0x3c5 | view.getUint32(RegisterFile.Nzcv, true);
    u8.set(registers.subarray(RegisterFile.X, RegisterFile.Sp), ContextState.X);
    u8.set(registers.subarray(RegisterFile.Sp, RegisterFile.Nzcv), ContextState.Sp);
    u8.set(registers.subarray(RegisterFile.Fpcr, RegisterFile.Fpsr), VcpuState.Fpcr);
    u8.set(registers.subarray(RegisterFile.Fpsr, RegisterFile.V), VcpuState.Fpsr);
    // As after an instruction that was executed exactly, or as after a write of FPCR or FPSR.
    if ((pc & 24) !== 0) noteModes(this.#memory);
    else u64[VcpuState.FloatDefault >> 3] = 0n;
    u8.set(registers.subarray(RegisterFile.V, RegisterFile.Bytes), VcpuState.V);
    u64[ContextState.ExclusiveAddress >> 3] = 0xffff_ffff_ffff_ffffn;
    this.#context.pc = BigInt(pc);
    const reason = this.#vcpu.run(BUDGET);
    const ended = this.#vcpu.exit.ec === ExceptionClass.Hvc64 && this.#context.pc === BigInt(pc + 8);
    const fault = reason === RunExit.Sync && ended ? undefined : this.#faultName();
    const after = new Uint8Array(RegisterFile.Bytes);
    after.set(u8.subarray(ContextState.X, ContextState.X + 248), RegisterFile.X);
    after.set(u8.subarray(ContextState.Sp, ContextState.Sp + 8), RegisterFile.Sp);
    new DataView(after.buffer).setUint32(RegisterFile.Nzcv, this.#context.pstate & 0xf000_0000, true);
    after.set(u8.subarray(VcpuState.Fpcr, VcpuState.Fpcr + 16), RegisterFile.Fpcr);
    after.set(u8.subarray(VcpuState.V, VcpuState.V + 512), RegisterFile.V);
    return { fault, registers: after, changed: this.#changes() };
  }

  #faultName(): string {
    if (this.#vcpu.exit.ec === ExceptionClass.DataAbortLower) return 'memory';
    const ec = Number((this.#context.sysreg(ESR_EL1) ?? 0n) >> 26n);
    if (ec === ExceptionClass.DataAbortSame || ec === ExceptionClass.SpAlignment) return 'memory';
    return ec === ExceptionClass.Unknown ? 'undefined' : `exception class ${String(ec)}`;
  }

  #changes(): Outcome['changed'] {
    const { u8 } = this.#memory;
    let first = 0;
    let last = PAGE_BYTES;
    while (first < last && u8[this.#scratch + first] === this.#pattern[first]) first += 1;
    while (last > first && u8[this.#scratch + last - 1] === this.#pattern[last - 1]) last -= 1;
    return { at: first, bytes: u8.slice(this.#scratch + first, this.#scratch + last) };
  }
}
