import type { Clock } from './clock.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { Regime } from './mmu/regime.ts';

export type { Clock } from './clock.ts';
import type { ExceptionLevel } from './exception-level.ts';

export type { ExceptionLevel } from './exception-level.ts';
export type { Regime, Translation } from './mmu/regime.ts';

/** Bits of `Stage2Mapping.permissions`. Execution is split by Exception level, as FEAT_XNX splits it. */
export const Permission = { R: 1, W: 2, XEl0: 4, XEl1: 8 } as const;

/** What stage 2 says of one 4 KiB page of intermediate physical address. */
export interface Stage2Mapping {
  /** Offset of the page in linear memory, or -1 where nothing is mapped (translation fault). */
  readonly offset: number;
  /** Bits of `Permission`. */
  readonly permissions: number;
  /** Level at which the walk ended, for the fault status code. */
  readonly level: number;
}

/**
 * A stage-2 translation regime as the CPU sees it: one for each plane of a realm, or one for an ordinary VM. Its
 * answers are cached in a TLB until `Cpu.invalidate` is called.
 */
export interface Stage2 {
  /** @param ipa page-aligned, below 2^48 */
  translate(ipa: number): Stage2Mapping;
}

/** Why `Vcpu.run` returned. */
export const RunExit = {
  /** The instruction budget is used up; the guest continues where it was at the next run. */
  Budget: 0,
  /**
   * A synchronous exception to a level that has no guest code, which `Vcpu.exit` names: EL2. It and ESR_EL2, FAR_EL2,
   * HPFAR_EL2 tell which. The context's PC is the preferred return address: after an HVC, but at the instruction for
   * what is a trap, such as SMC and WFI, and for aborts.
   */
  Sync: 1,
  /** The guest did something that the engine has no model of, named by `Vcpu.unsupported`; it cannot continue. */
  Unsupported: 2,
  /**
   * The guest executed WFI or WFE, which `Vcpu.waiting` names, and continues behind it at the next run. What it waits
   * for is for the caller to know; it may run on at once, as the architecture allows.
   */
  Wait: 3,
} as const;
export type RunExit = (typeof RunExit)[keyof typeof RunExit];

/** ESR_ELx.EC values that the CPU produces (Arm ARM, D24.2.40). */
export const ExceptionClass = {
  Unknown: 0x00,
  Wfx: 0x01,
  SimdFp: 0x07,
  IllegalState: 0x0e,
  Svc64: 0x15,
  Hvc64: 0x16,
  Smc64: 0x17,
  Sysreg: 0x18,
  InstructionAbortLower: 0x20,
  InstructionAbortSame: 0x21,
  PcAlignment: 0x22,
  DataAbortLower: 0x24,
  DataAbortSame: 0x25,
  SpAlignment: 0x26,
  Brk64: 0x3c,
} as const;

/** The last synchronous exception to a level without guest code. Plain numbers, so that an exit costs no allocation. */
export interface SyncExit {
  /** Exception level that takes it: EL2, as long as there is no EL3. */
  target: ExceptionLevel;
  /** ESR_EL2.EC. */
  ec: number;
  /** ESR_EL2 bits 31:0. For aborts with a valid syndrome ISV, SAS, SSE, SRT, SF, AR are filled. */
  esr: number;
  /** For stage-2 aborts: the faulting IPA with its byte offset, below 2^48. Else 0. */
  ipa: number;
  /** For stage-2 aborts: true for a permission fault, false for a translation fault. */
  permission: boolean;
  /** For data aborts: true for a write. */
  write: boolean;
}

/** Traps to EL2 that apply while a context runs (HCR_EL2.TWI, TWE; CPTR_EL2.TFP). */
export interface Traps {
  wfi: boolean;
  wfe: boolean;
  simd: boolean;
}

/**
 * Everything of one plane on one vCPU that is not shared with its other planes: X0-X30, PC, PSTATE, stack pointers and
 * EL1 system registers. SIMD&FP registers belong to the vCPU. At most one context of a vCPU is active.
 */
export interface CpuContext {
  readonly stage2: Stage2;
  readonly traps: Traps;
  /** Offsets in linear memory, valid until a context is activated: X0 (then X1 … X30, 8 bytes each), and PC. */
  readonly gprsOffset: number;
  readonly pcOffset: number;
  pc: bigint;
  /**
   * In the format of SPSR_EL2: NZCV, DAIF, M[4:0] and the rest. Writes with M other than EL0t, EL1t, EL1h are refused.
   */
  pstate: number;
  /** SP of the current PSTATE. */
  readonly sp: bigint;
  /** X0 to X30. */
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  /** PC := PC + bytes, without bigint. */
  advancePc(bytes: number): void;
  /**
   * A system register by op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2 (the encoding of RSI_PLANE_SYSREG_READ), or
   * undefined where the context has no such register.
   */
  sysreg(encoding: number): bigint | undefined;
  /** Offset in linear memory of a system register, valid as `gprsOffset` is, or -1 where it is not kept there. */
  sysregOffset(encoding: number): number;
  /** @returns false where there is no such register */
  setSysreg(encoding: number, value: bigint): boolean;
  /** Back to the state in which `createContext` makes one, in another regime: there are only so many contexts. */
  reset(stage2: Stage2): void;
  /**
   * Takes a synchronous exception to EL1 at the current PC: ESR_EL1, FAR_EL1, ELR_EL1, SPSR_EL1, PSTATE and the vector,
   * as AArch64.TakeException does (Arm ARM, shared pseudocode).
   */
  takeException(esr: number, far: bigint): void;
}

/** Offsets in linear memory of the EL2 registers that an exit fills; 8 bytes each. */
export interface El2Registers {
  readonly esr: number;
  readonly far: number;
  readonly hpfar: number;
}

/** One virtual processor. */
export interface Vcpu {
  readonly exit: SyncExit;
  /** What the guest did, after `RunExit.Unsupported`. */
  readonly unsupported: string;
  readonly el2: El2Registers;
  /** What the guest waits with, after `RunExit.Wait`: for an interrupt, or for an event. */
  readonly waiting: 'wfi' | 'wfe';
  /**
   * Guest time in nanoseconds at which a timer of the active context signals next; Infinity where none will, past where
   * one does.
   */
  readonly timerDeadline: number;
  /**
   * Instructions retired since the vCPU was made, over all its contexts, and exceptions that faulting ones took to EL1.
   */
  readonly retired: number;
  /**
   * `retired`, where an exception to EL1 or a system instruction counts for 64 instructions and an exit to EL2 for 1024
   * more: about what each takes. The same for a guest in every run, whatever was decoded or compiled before.
   */
  readonly work: number;
  /**
   * `work`, and what the host did for the guest besides: it depends on what was decoded and compiled before, so nothing
   * that a guest can see may depend on it.
   */
  readonly effort: number;
  readonly active: CpuContext;
  /** A context in the reset state of the Arm ARM: registers 0, PSTATE EL1h with DAIF set, MMU off. */
  createContext(stage2: Stage2): CpuContext;
  /** Saves the active context and loads another. Clears the exclusive monitor. */
  activate(context: CpuContext): void;
  /**
   * Runs the active context for about `budget` instructions, counted as `effort` is (more by at most one straight run
   * of code or one pass of compiling), or until a synchronous exception to EL2. Never throws for anything that the
   * guest does.
   */
  run(budget: number): RunExit;
}

export interface CpuOptions {
  /**
   * Ends a run with `RunExit.Budget` when new code was compiled for it. That takes up to a millisecond each time, so
   * whoever divides time wants to be asked before there is more. @default false
   */
  readonly yieldAfterCompiling?: boolean;
  /** Makes the translation regime of a context over its stage 2. @default stage 1 is off */
  readonly regime?: (stage2: Stage2) => Regime;
}

/** The processors of one machine and what they share. */
export interface Cpu {
  readonly memory: LinearMemory;
  /** Guest time, which they advance. */
  readonly clock: Clock;
  /** Called for each undefined instruction that a guest executes, with its word; set by whoever keeps a log. */
  onUndefined: ((word: number, pc: bigint) => void) | undefined;
  createVcpu(mpidr: number): Vcpu;
  /** Forgets cached translations of [ipa, ipa + bytes) in a regime. To be called after each change of stage 2. */
  invalidate(stage2: Stage2, ipa: number, bytes: number): void;
  /** To be called after anything but the guest wrote to guest memory that could hold code. */
  wrote(offset: number, bytes: number): void;
  /** Forgets all contexts and vCPUs, what was decoded, and time, so that another machine can use the same memory. */
  recycle(): void;
}
