import type { Clock } from './clock.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { InterruptRouting } from './gic/interrupt-routing.ts';
import type { DebugControl } from './debug/debug-control.ts';
import type { CpuState } from './state.ts';
import type { Regime } from './mmu/regime.ts';

export type { Clock } from './clock.ts';
export type { CpuState } from './state.ts';
import type { ExceptionLevel } from './exception-level.ts';

export { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from './gic/interrupt-routing.ts';
export type { ExceptionLevel } from './exception-level.ts';
export type { Regime, Translation } from './mmu/regime.ts';

/** Bits of `Stage2Mapping.permissions`. Execution is split by Exception level, as in FEAT_XNX. */
export const Permission = { R: 1, W: 2, XEl0: 4, XEl1: 8 } as const;

/** The stage 2 mapping of one 4 KiB page of intermediate physical address. */
export interface Stage2Mapping {
  /** Offset of the page in linear memory; -1 if nothing is mapped (Translation fault). */
  readonly offset: number;
  /** Bits of `Permission`. */
  readonly permissions: number;
  /** Level at which the walk ended, for the fault status code. */
  readonly level: number;
}

/**
 * A stage 2 translation regime as seen by the CPU: one for each plane of a realm, or one for an ordinary VM. Its
 * results are cached in TLBs until `Cpu.invalidate` is called.
 */
export interface Stage2 {
  /** @param ipa page-aligned, below 2^48 */
  translate(ipa: number): Stage2Mapping;
}

/** Why `Vcpu.run` returned. */
export const RunExit = {
  /** The instruction budget is used up; the next run continues there. */
  Budget: 0,
  /**
   * A synchronous exception to a level without guest code, EL2: see `Vcpu.exit`, ESR_EL2, FAR_EL2 and HPFAR_EL2. The
   * context's PC is the preferred return address: after an HVC, but at the instruction for traps, such as SMC and WFI,
   * and for aborts.
   */
  Sync: 1,
  /**
   * The guest executed WFI or WFE, see `Vcpu.waiting`; the next run continues after it. The caller decides what ends
   * the wait, and may run the guest again at once, as the architecture allows.
   */
  Wait: 2,
} as const;
export type RunExit = (typeof RunExit)[keyof typeof RunExit];

/** ESR_ELx.EC values that the CPU produces (Arm ARM, D24.2.40). */
export const ExceptionClass = {
  Unknown: 0x00,
  Wfx: 0x01,
  SimdFp: 0x07,
  BranchTarget: 0x0d,
  IllegalState: 0x0e,
  Svc64: 0x15,
  Hvc64: 0x16,
  Smc64: 0x17,
  Sysreg: 0x18,
  PacFail: 0x1c,
  InstructionAbortLower: 0x20,
  InstructionAbortSame: 0x21,
  PcAlignment: 0x22,
  DataAbortLower: 0x24,
  DataAbortSame: 0x25,
  SpAlignment: 0x26,
  MemoryOption: 0x27,
  SError: 0x2f,
  Brk64: 0x3c,
} as const;

/** The last synchronous exception to a level without guest code. All plain numbers: an exit allocates nothing. */
export interface SyncExit {
  /** Exception level that takes it: EL2, or EL3 for an SMC of a context that has EL2. */
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
  /** For data aborts: the instruction. */
  instruction: number;
}

/** Traps to EL2 that apply while a context runs (HCR_EL2.TWI, TWE; CPTR_EL2.TFP). */
export interface Traps {
  wfi: boolean;
  wfe: boolean;
  simd: boolean;
}

/**
 * State of one plane on one vCPU that it does not share with other planes: X0-X30, PC, PSTATE, stack pointers and EL1
 * system registers. SIMD&FP registers belong to the vCPU. At most one context of a vCPU is active.
 */
export interface CpuContext {
  readonly stage2: Stage2;
  readonly traps: Traps;
  /** Offsets in linear memory, valid until a context is activated: X0 (then X1 to X30, 8 bytes each), and PC. */
  readonly gprsOffset: number;
  readonly pcOffset: number;
  pc: bigint;
  /**
   * In the format of SPSR_EL2: NZCV, DAIF, M[4:0] and the rest. Writes with M other than EL0t, EL1t, EL1h are refused,
   * but for EL2t and EL2h of a context with EL2.
   */
  pstate: number;
  /** SP selected by the current PSTATE. */
  readonly sp: bigint;
  /** X0 to X30. */
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  /** PC := PC + bytes, without bigint. */
  advancePc(bytes: number): void;
  /**
   * A system register by op0<<14 | op1<<11 | CRn<<7 | CRm<<3 | op2 (the encoding of RSI_PLANE_SYSREG_READ); undefined
   * if the context does not have it.
   */
  sysreg(encoding: number): bigint | undefined;
  /** Offset in linear memory of a system register, valid as long as `gprsOffset`; -1 if it is not stored there. */
  sysregOffset(encoding: number): number;
  /** @returns false if there is no such register */
  setSysreg(encoding: number, value: bigint): boolean;
  /** Resets to the state after `createContext`, with another stage 2: the number of contexts is limited. */
  reset(stage2: Stage2): void;
  /**
   * Takes a synchronous exception to EL1 at the current PC: ESR_EL1, FAR_EL1, ELR_EL1, SPSR_EL1, PSTATE and the vector,
   * as AArch64.TakeException does (Arm ARM, shared pseudocode).
   */
  takeException(esr: number, far: bigint): void;
}

export interface ContextOptions {
  /**
   * Whether the guest has EL2, where it starts: then exceptions to EL2 are the guest's, and only SMCs that it does not
   * trap and accesses to what `Stage2` does not map end a run with `RunExit.Sync`. @default false
   */
  readonly el2?: boolean;
}

/** Offsets in linear memory of the EL2 registers that an exit fills; 8 bytes each. */
export interface El2Registers {
  readonly esr: number;
  readonly far: number;
  readonly hpfar: number;
}

/** One virtual processor. */
export interface Vcpu {
  /** Affinity fields of MPIDR_EL1. */
  readonly mpidr: number;
  readonly exit: SyncExit;
  readonly el2: El2Registers;
  /** After `RunExit.Wait`: whether the guest waits for an interrupt or for an event. */
  readonly waiting: 'wfi' | 'wfe';
  /**
   * After `RunExit.Wait`: guest time in nanoseconds at which the wait is over in any case; Infinity if there is none.
   */
  readonly waitsUntil: number;
  /**
   * After `RunExit.Wait`: whether the wait is over. An interrupt ends WFI whatever PSTATE masks, and WFE if it can be
   * taken, as do SEV on any vCPU, a store to what the exclusive monitor had marked, and the event stream.
   */
  readonly awake: boolean;
  /**
   * Guest time in nanoseconds at which a timer of the active context signals next; Infinity if none will, in the past
   * if one signals already.
   */
  readonly timerDeadline: number;
  /**
   * Instructions retired since the vCPU was made, in all its contexts, plus exceptions that faulting ones took to EL1.
   */
  readonly retired: number;
  /**
   * `retired`, plus 64 for each exception to EL1 or system instruction and 1024 for each exit to EL2, which is about
   * what they cost. It is the same in every run of a guest, whatever was decoded or compiled before.
   */
  readonly work: number;
  /**
   * `work`, plus what the host did for the guest otherwise. It depends on what was decoded and compiled before, so
   * nothing that a guest can see may depend on it.
   */
  readonly effort: number;
  readonly active: CpuContext;
  /** Offset in linear memory of V0 (then V1 to V31, 16 bytes each), valid until a vCPU runs. */
  readonly simdOffset: number;
  /** Whether an interrupt is signalled, whatever PSTATE masks; never without an interrupt controller. */
  readonly interruptPending: boolean;
  /**
   * Connects an interrupt controller, once, before the first run: its interrupts are then taken to EL1, timers raise
   * their PPIs through alarms, and accesses that generate or deactivate interrupts are no longer trapped to EL2.
   */
  connect(routing: InterruptRouting): void;
  /**
   * A context in the reset state of the Arm ARM: registers 0, PSTATE EL1h (or EL2h, with EL2) with DAIF set, MMU off.
   */
  createContext(stage2: Stage2, options?: ContextOptions): CpuContext;
  /** Saves the active context and loads another. Clears the exclusive monitor. */
  activate(context: CpuContext): void;
  /** Resets the active context, as `CpuContext.reset` does, and what else of the PE a warm reset does. */
  reset(stage2: Stage2): void;
  /**
   * Ends the current run with `RunExit.Budget` before its next instruction. Call it from an alarm: a run then ends at
   * the same instruction whatever its budget is.
   */
  preempt(): void;
  /**
   * Runs the active context for about `budget` instructions, counted as in `effort` (exceeded by at most one straight
   * run of code or one pass of compiling), or until a synchronous exception to EL2. Never throws because of anything
   * that the guest does.
   */
  run(budget: number): RunExit;
}

export interface CpuOptions {
  /**
   * Ends a run with `RunExit.Budget` after compiling new code. That takes up to a millisecond each time, so a scheduler
   * can check its time slice before more is compiled. @default false
   */
  readonly yieldAfterCompiling?: boolean;
  /** Pages of decoded code that fit below guest memory: see `RECORD_PAGES`. @default RECORD_PAGES */
  readonly recordPages?: number | undefined;
  /** Makes the translation regime of a context on top of its stage 2. @default the EL1&0 regime of its registers */
  readonly regime?: (stage2: Stage2) => Regime;
}

/** The processors of one machine and the state that they share. */
export interface Cpu {
  readonly memory: LinearMemory;
  /** Guest time, which the processors advance. */
  readonly clock: Clock;
  /** Called with the word of each undefined instruction that a guest executes; for logging. */
  onUndefined: ((word: number, pc: bigint) => void) | undefined;
  createVcpu(mpidr: number): Vcpu;
  /** Drops cached translations of [ipa, ipa + bytes) in a regime. Call it after each change of stage 2. */
  invalidate(stage2: Stage2, ipa: number, bytes: number): void;
  /** Call it after the host wrote to guest memory that could hold code. */
  wrote(offset: number, bytes: number): void;
  /**
   * The state of all vCPUs, each with its active context, and the time; not that of memory. Call it between runs.
   *
   * @throws RangeError if a vCPU has no context yet
   */
  save(): CpuState;
  /**
   * Restores what `save` returned, of processors with as many vCPUs. An interrupt controller is to be restored after
   * it.
   */
  restore(state: CpuState): void;
  /** Resets contexts, vCPUs, decoded code and time, so that another machine can use the memory. */
  recycle(): void;
}

/** The processors of a machine for those who look into it and steer it: debuggers, traces, coverage. */
export interface DebuggableCpu extends Cpu {
  /** What a debugger asks of the vCPUs; until `detachDebugger` or `recycle`. */
  attachDebugger(): DebugControl;
  /** Forgets all that a debugger asked for. */
  detachDebugger(): void;
  /** Whether vCPUs execute nothing, because a debugger has stopped them. */
  readonly held: boolean;
  /**
   * Has each instruction reported before it is executed for the first time, possibly more than once. Call it before the
   * first run.
   */
  onFirst(execute: (va: number) => void): void;
  /**
   * Offset in linear memory of the byte at a virtual address of the current regime, whatever is permitted; -1 where
   * nothing is mapped.
   *
   * @param va a signed canonical address
   */
  place(context: CpuContext, va: number): number;
  /**
   * Offset in linear memory of V0 to V31, 16 bytes each, then FPCR and FPSR, 8 bytes each; valid until the next run.
   */
  simdOffset(vcpu: Vcpu): number;
}
