import type { CodeCache, CodePage } from '../code/code-cache.ts';
import type { Context } from './context.ts';
import type { DataAccess } from '../mmu/data-access.ts';
import { Cost, type Effort } from '../effort.ts';
import type { DebugControl } from '../debug/debug-control.ts';
import { engineFault } from '../engine-fault.ts';
import { pageOf, readAddress, readSigned, tlbIndex, untagged, writeSigned } from '../mmu/virtual-address.ts';
import { Access, FaultStatus } from '../mmu/regime.ts';
import type { Clock } from '../clock.ts';
import type { InterruptRouting } from '../gic/interrupt-routing.ts';
import { InterruptSignals } from '../gic/interrupt-signals.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Exit } from '../isa/lowering.ts';
import { dataAbortIss } from './instruction-syndrome.ts';
import { CM, CV_AL, S1PTW, syndrome, WNR } from './exception.ts';
import { acceptsBranch } from './branch-target.ts';
import { BTYPE_SHIFT, Pstate } from './pstate.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import type { El2Identity } from './el2/el2-state.ts';
import type { PendingInterrupt } from './el2/interrupt-target.ts';
import { MIDR, mpidrOf } from './registers/identification.ts';
import type { RegisterHost } from './registers/row.ts';
import type { TlbSet } from '../mmu/tlb-set.ts';
import type { TlbInvalidation } from '../mmu/tlb-invalidation.ts';
import { Pmu } from './pmu.ts';
import { TimerLines } from './timer-lines.ts';
import { WaitState } from './wait-state.ts';
import { SystemInstructions } from './system-instructions.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { FixedHandler } from '../tier0/handlers.ts';
import { ContextState, Itlb, Record, savedContext, savedVcpu, VCPU_SAVED_BYTES, VcpuState } from '../layout.ts';
import type { VcpuSnapshot } from '../state.ts';
import { ExceptionClass, RunExit } from '../types.ts';
import type { ContextOptions, CpuContext, El2Registers, Stage2, SyncExit, Vcpu } from '../types.ts';

const PAGE = 4096;
const INSTRUCTION = 4;
/** Index of bits 63:32 of the PC. */
const PC_HIGH = (ContextState.Pc + 4) >> 2;
/** Effort that a run may spend in addition to its budget, so that short runs make progress too. */
const FREE_EFFORT = 16 * Cost.Event;
/** Instructions between two samples of the PC. */
const SAMPLE_PERIOD = 16_384;
/** Samples in a page before it is compiled, and the value to start from again if nothing was left to compile. */
const HOT = 4;
const COLD_AGAIN = -60;
/** Address of an exclusive monitor in the Open Access state. */
const MONITOR_OPEN = 0xffff_ffff_ffff_ffffn;

/** Types of branches: BR, from a guarded page and from others. */
const JUMP = 3;
const JUMP_FROM_ANYWHERE = 1;
/** Bits of SCTLR_EL1, in bits 63:32. */
const SctlrHigh = { BT0: 1 << 3, BT1: 1 << 4 } as const;

/** The machine, as seen by a vCPU. */
export interface VcpuHost {
  readonly memory: LinearMemory;
  readonly code: CodeCache;
  readonly access: DataAccess;
  readonly effort: Effort;
  readonly clock: Clock;
  readonly onUndefined: ((word: number, pc: bigint) => void) | undefined;
  readonly yieldAfterCompiling: boolean;
  /** What a debugger asks for, if there is one. */
  readonly debug: DebugControl | undefined;
  newContext(stage2: Stage2, el2?: El2Identity): Context;
  /** See `RegisterHost`. */
  random(): bigint;
  /** TLB maintenance in all contexts with this stage 2. */
  invalidateTlbs(stage2: Stage2, request: TlbInvalidation): void;
  contextAt(context: CpuContext): Context;
  /** Sets the Event Register of every vCPU. */
  sendEvent(): void;
  /** Loads a vCPU's shared registers into their fixed place. */
  makeCurrent(vcpu: VirtualCpu): void;
  /**
   * Number of handlers that records name and the machine has not loaded; generated code may only be entered at zero.
   */
  readonly missingHandlers: number;
  /** Compiles and loads some missing handlers. May discard all code. */
  loadHandlers(): void;
  enter(record: number, limit: number): number;
  /** Compiles hot code. May discard all code instead. @returns the number of new blocks */
  compile(page: CodePage, pc: number): number;
  /** To be called when the first code on a page of linear memory is found. */
  guardCode(source: number): void;
}

/**
 * What the run loop does after an exit of generated code. `continue` is a point that every run reaches at the same
 * instruction, with any slicing and compiled or not, so a run may end there; `again` is a point in between.
 */
type Next = RunExit | 'continue' | 'again';

export class VirtualCpu implements Vcpu, RegisterHost {
  readonly exit: SyncExit = { target: 2, ec: 0, esr: 0, ipa: 0, permission: false, write: false, instruction: 0 };
  readonly el2: El2Registers = { esr: VcpuState.EsrEl2, far: VcpuState.FarEl2, hpfar: VcpuState.HpfarEl2 };
  readonly index: number;
  readonly mpidr: number;
  retired = 0;
  effort = 0;
  /** What exceptions, system instructions and exits count in addition; independent of what caches hold. */
  #surcharge = 0;
  readonly #host: VcpuHost;
  readonly #wait: WaitState;
  readonly #system: SystemInstructions;
  readonly #spending: Effort;
  readonly #clock: Clock;
  #interrupts: InterruptSignals | undefined;
  #timers: TimerLines | undefined;
  #pmu: Pmu | undefined;
  /** Exception level at which the current step began. */
  #el: ExceptionLevel = 0;
  /** Instructions retired at each Exception level, without exceptions that faulting ones took. */
  readonly #retiredAt = [0, 0, 0, 0];
  #active: Context | undefined;
  #remaining = 0;
  /** Effort at which the run ends. */
  #allowed = 0;
  /**
   * How the last run ended. Alarms ring only at points that all runs reach, so not before an instruction that is still
   * to be decoded.
   */
  #last: 'continue' | 'again' = 'continue';
  /** The last exit record, except for `Exit.Fetch`. */
  #exitRecord = 0;
  #exitPage: CodePage | undefined;
  /** How often the current run made new code. */
  #compilations = 0;
  #preempted = false;

  constructor(host: VcpuHost, index: number, mpidr: number) {
    this.#host = host;
    this.#wait = new WaitState(host.memory);
    this.#system = new SystemInstructions(host.memory, host.access);
    this.#spending = host.effort;
    this.#clock = host.clock;
    this.index = index;
    this.mpidr = mpidr;
  }

  get work(): number {
    return this.retired + this.#surcharge;
  }

  /** Guest time in nanoseconds. */
  get now(): number {
    return this.#clock.now;
  }

  get interrupts(): InterruptSignals | undefined {
    return this.#interrupts;
  }

  get pmu(): Pmu | undefined {
    return this.#pmu;
  }

  get interruptPending(): boolean {
    const signals = this.#interrupts;
    if (signals === undefined) return false;
    return signals.irq || signals.fiq || this.#active?.virtualInterruptPending(signals.virtual) === true;
  }

  get waiting(): 'wfi' | 'wfe' {
    return this.#wait.kind;
  }

  get waitsUntil(): number {
    return this.#wait.until;
  }

  get awake(): boolean {
    if (this.#wait.until <= this.#clock.now) return true;
    if (this.#wait.kind === 'wfi') return this.interruptPending;
    const signals = this.#interrupts;
    return this.#wait.signalled || (signals !== undefined && interruptTaken(signals, this.#current()) !== undefined);
  }

  get event(): boolean {
    return this.#wait.event;
  }
  set event(event: boolean) {
    this.#wait.event = event;
  }

  sendEvent(): void {
    this.#host.sendEvent();
  }

  random(): bigint {
    return this.#host.random();
  }

  connect(routing: InterruptRouting): void {
    this.#interrupts = new InterruptSignals(() => this.#active, routing);
    this.#timers = new TimerLines(() => this.#active, this.#clock, routing);
    this.#pmu = new Pmu((el) => this.#retiredAt[el] ?? 0, this.#clock, routing);
    this.#update();
  }

  /** The registers of the active context changed without an instruction. */
  #update(): void {
    this.#interrupts?.update();
    this.#timers?.update();
  }

  reset(stage2: Stage2): void {
    this.#current().reset(stage2);
    this.#wait.event = false;
    this.#wait.forInterrupt();
    this.#last = 'continue';
    this.#pmu?.reset();
    this.#update();
  }

  /** With the active context; see `Cpu.save`. */
  save(): VcpuSnapshot {
    const context = this.#current();
    const { u8 } = this.#host.memory;
    const at = this.simdOffset;
    return {
      registers: context.save(),
      simd: u8.slice(at, at + VCPU_SAVED_BYTES),
      traps: { ...context.traps },
      retired: this.retired,
      retiredAt: [...this.#retiredAt],
      surcharge: this.#surcharge,
      last: this.#last,
      wait: this.#wait.save(),
      ...(this.#pmu && { pmu: this.#pmu.save() }),
    };
  }

  /** To be called after the clock was restored. */
  restore(state: VcpuSnapshot): void {
    const context = this.#current();
    context.restore(state.registers);
    Object.assign(context.traps, state.traps);
    this.#host.memory.u8.set(state.simd, this.simdOffset);
    this.retired = state.retired;
    state.retiredAt.forEach((retired, el) => (this.#retiredAt[el] = retired));
    this.#surcharge = state.surcharge;
    this.#last = state.last;
    this.#wait.restore(state.wait);
    this.#update();
    if (state.pmu !== undefined) this.#pmu?.restore(state.pmu);
  }

  preempt(): void {
    this.#preempted = true;
  }

  timersChanged(): void {
    this.#timers?.update();
  }

  invalidateTlbs(request: TlbInvalidation, shareable: boolean): void {
    if (shareable) this.#host.invalidateTlbs(this.#current().stage2, request);
    else this.#current().invalidateTlb(request);
  }

  get timerDeadline(): number {
    return this.#current().timerDeadline;
  }

  /** Where V0 is now. */
  get simdOffset(): number {
    return this.#active?.active === true ? VcpuState.V : savedVcpu(this.index);
  }

  get active(): CpuContext {
    return this.#current();
  }

  #current(): Context {
    if (this.#active === undefined) throw new RangeError('no context has been activated on this vCPU');
    return this.#active;
  }

  createContext(stage2: Stage2, { el2 = false }: ContextOptions = {}): CpuContext {
    return this.#host.newContext(stage2, el2 ? { midr: MIDR, mpidr: mpidrOf(this.mpidr) } : undefined);
  }

  activate(context: CpuContext): void {
    const next = this.#host.contextAt(context);
    if (next === this.#active && next.active) return;
    this.suspend();
    this.#active = next;
    this.#host.makeCurrent(this);
    this.resume();
    this.#update();
  }

  /** Copies the registers from their fixed place to the saved blocks. */
  suspend(): void {
    const context = this.#active;
    if (context === undefined || !context.active) return;
    const { u8 } = this.#host.memory;
    context.active = false;
    u8.copyWithin(savedContext(context.index), 0, ContextState.Size);
    u8.copyWithin(savedVcpu(this.index), VcpuState.V, VcpuState.V + VCPU_SAVED_BYTES);
  }

  /** Copies them back. */
  resume(): void {
    const context = this.#active;
    if (context === undefined || context.active) return;
    const { u8, u64 } = this.#host.memory;
    u8.copyWithin(0, savedContext(context.index), savedContext(context.index) + ContextState.Size);
    u8.copyWithin(VcpuState.V, savedVcpu(this.index), savedVcpu(this.index) + VCPU_SAVED_BYTES);
    context.active = true;
    // Others may have stored to what the monitor marks, which would have been an event.
    if (u64[ContextState.ExclusiveAddress >> 3] !== MONITOR_OPEN) this.#wait.event = true;
    u64[ContextState.ExclusiveAddress >> 3] = MONITOR_OPEN;
  }

  /** What rings may have called `preempt`. */
  get #isPreempted(): boolean {
    return this.#preempted;
  }

  run(budget: number): RunExit {
    const context = this.#current();
    this.#host.makeCurrent(this);
    this.#host.access.use(context);
    this.#remaining = budget;
    this.#compilations = 0;
    this.#preempted = false;
    this.#wait.end();
    this.#spending.spent = 0;
    this.#allowed = this.effort + budget + FREE_EFFORT;
    let next = this.#last;
    this.#pmu?.runsAt(context.el);
    const { debug } = this.#host;
    debug?.enter(this.index);
    while (this.#remaining > 0 || next === 'again') {
      if (debug?.stop !== undefined) {
        debug.standing = true;
        break;
      }
      if (next === 'continue' && this.#clock.next <= this.#clock.now) this.#clock.ring();
      if (this.#isPreempted) break;
      if (next === 'continue' && this.#interrupts !== undefined && this.#interrupted(this.#interrupts, context)) {
        next = this.#taken();
        if (debug?.single === true) debug.made();
        continue;
      }
      const yields = this.#compilations > 0 && this.#host.yieldAfterCompiling;
      if (this.#remaining > 0 && (yields || this.effort >= this.#allowed)) break;
      this.#el = context.el;
      this.#pmu?.runsAt(this.#el);
      const outcome = debug === undefined ? this.#step(context) : this.#observed(context, debug);
      this.#settle();
      if (outcome !== 'continue' && outcome !== 'again') {
        this.#last = 'continue';
        this.#pmu?.runsAt(undefined);
        return outcome;
      }
      next = outcome;
    }
    this.#last = next;
    this.#pmu?.runsAt(undefined);
    return RunExit.Budget;
  }

  /**
   * Takes an interrupt that is pending and not masked. What is pending and what is masked change only where a step ends
   * with `continue` or a run ends, so an interrupt is taken at the same instruction in every run.
   */
  #interrupted(signals: InterruptSignals, context: Context): boolean {
    const pending = interruptTaken(signals, context);
    if (pending !== undefined) context.takeInterrupt(pending);
    return pending !== undefined;
  }

  /** Adds what the step was charged to the effort. */
  #settle(): void {
    this.effort += Cost.Event + this.#spending.spent;
    this.#spending.spent = 0;
  }

  /** Runs to the next event and handles it. */
  #step(context: Context): Next {
    const simdAccess = context.fetchesSimd();
    const record = this.#fetch(context, simdAccess);
    if (record < 0) return RunExit.Sync;
    if (record === 0) return this.#taken();
    if (this.#host.missingHandlers === 0) return this.#handle(context, simdAccess, this.#enter(record));
    this.#host.loadHandlers();
    this.#compilations += 1;
    return 'again';
  }

  /** As `#step`, for a debugger: stops where that says, and reports what is executed. */
  #observed(context: Context, debug: DebugControl): Next {
    if (!debug.single && debug.trace === undefined) return this.#step(context);
    const { retired } = this;
    const simdAccess = context.fetchesSimd();
    const record = this.#fetch(context, simdAccess);
    const start = readSigned(this.#host.memory.u32, ContextState.Pc);
    if (record <= 0) {
      if (debug.single) debug.made();
      return record < 0 ? RunExit.Sync : this.#taken();
    }
    if (debug.single) this.#makeSingle(record);
    if (this.#host.missingHandlers !== 0) {
      this.#host.loadHandlers();
      this.#compilations += 1;
      return 'again';
    }
    const reason = debug.single ? this.#enterOne(record) : this.#enter(record, 1);
    const executed = this.retired - retired;
    if (executed > 0) debug.trace?.(start, executed, false, retired);
    const ended = debug.single && (reason === Exit.Stop || (reason === Exit.Decode && this.#exitRecord !== record));
    const at = readSigned(this.#host.memory.u32, ContextState.Pc);
    const outcome = ended ? 'again' : this.#handle(context, simdAccess, reason);
    if (reason !== Exit.Budget && reason !== Exit.Fetch && outcome !== 'again') {
      debug.trace?.(at, 1, reason !== Exit.System, retired + executed);
    }
    if (debug.single && (ended || outcome !== 'again')) debug.made();
    return outcome;
  }

  /** Has a record stand for its instruction alone: not for a block, nor for a breakpoint. */
  #makeSingle(record: number): void {
    const { code, memory } = this.#host;
    const page = code.pageOf(record);
    const handler = memory.u16[record >> 1] ?? 0;
    if (page === undefined) return;
    if (isBlock(handler)) code.releaseBlocks(page.source);
    if (handler === FixedHandler.Stop) code.passStop(page, record);
  }

  /**
   * Runs one instruction of tier 0. Where it falls through, generated code returns with `Exit.Stop`, and with
   * `Exit.Decode` if it has overwritten the next instruction.
   */
  #enterOne(record: number): number {
    const { code, memory } = this.#host;
    const page = code.pageOf(record);
    if (page === undefined) throw engineFault('a record is on no page');
    const { u16 } = memory;
    const after = (record + Record.Bytes) >> 1;
    const handler = u16[after] ?? 0;
    // A page's last instruction falls through to the crossing of pages, which leaves by itself.
    const stops = handler !== FixedHandler.CrossPage;
    if (stops) u16[after] = FixedHandler.Stop;
    const reason = this.#enter(record, 1);
    if (stops && u16[after] === FixedHandler.Stop) u16[after] = handler;
    code.stopAgain(page, record);
    return reason;
  }

  /** After an exception to EL1. It counts as an instruction, or vectors that fault would never use up the budget. */
  #taken(): 'continue' {
    this.#charge();
    return 'continue';
  }

  /** Runs generated code; then the PC is that of the exit record and the counters are up to date. */
  #enter(record: number, most = SAMPLE_PERIOD): number {
    const clock = this.#clock;
    const toAlarm = clock.next - clock.now;
    const stretch = Math.max(0, Math.min(this.#remaining, this.#allowed - this.effort, most, toAlarm));
    const before = this.#spending.called;
    const reason = this.#host.enter(record, record + stretch * Record.Bytes);
    const { u32, i32 } = this.#host.memory;
    const at = u32[VcpuState.ExitRecord >> 2] ?? 0;
    const charged = this.#spending.called - before;
    const executed = stretch - ((i32[VcpuState.ExitLimit >> 2] ?? 0) - at) / Record.Bytes - charged;
    this.effort += executed + charged;
    this.#remaining -= executed;
    this.retired += executed;
    this.#retiredAt[this.#el] = (this.#retiredAt[this.#el] ?? 0) + executed;
    clock.advance(executed);
    if (reason !== Exit.Fetch) {
      const page = this.#host.code.pageOf(at);
      this.#exitRecord = at;
      this.#exitPage = page;
      if (page !== undefined) {
        const pc = this.#host.code.addressOf(page, at);
        writeSigned(u32, ContextState.Pc, pc);
        if (reason === Exit.Budget && most === SAMPLE_PERIOD) this.#sample(page, pc);
      }
    }
    return reason;
  }

  /** Counts a sample of the PC; compiles a page that is hot. */
  #sample(page: CodePage, pc: number): void {
    page.heat += 1;
    if (page.heat < HOT) return;
    const compiled = this.#host.compile(page, pc) > 0;
    if (compiled) this.#compilations += 1;
    page.heat = compiled ? 0 : COLD_AGAIN;
  }

  #handle(context: Context, simdAccess: boolean, reason: number): Next {
    const pc = readSigned(this.#host.memory.u32, ContextState.Pc);
    switch (reason) {
      case Exit.Budget:
        return 'continue';
      case Exit.Fetch:
        this.#branched(context);
        return 'continue';
      case Exit.Decode:
        this.#decode(context, pc, simdAccess);
        return 'again';
      case Exit.Abort:
        return this.#dataAbort(context);
      case Exit.System:
        return this.#executeSystem(context);
      case Exit.SimdTrap:
        return this.#simdTrap(context);
      case Exit.Stop:
        this.#host.debug?.reached();
        return 'again';
      case Exit.NoHandler:
        throw engineFault(`it has no code for the instruction at 0x${pc.toString(16)}`);
      case Exit.SpAlignment:
        context.raise(syndrome(ExceptionClass.SpAlignment, 0), 0n);
        return this.#taken();
      default:
        return this.#undefined(context);
    }
  }

  /** Sets PSTATE.BTYPE after an indirect branch that left generated code. */
  #branched(context: Context): void {
    const { u32 } = this.#host.memory;
    const type = u32[VcpuState.BranchType >> 2] ?? 0;
    if (type === 0) return;
    u32[VcpuState.BranchType >> 2] = 0;
    // The record after the branch.
    const at = u32[VcpuState.ExitRecord >> 2] ?? 0;
    const page = this.#host.code.pageOf(at);
    const guarded = page !== undefined && this.#isGuarded(page);
    context.setMode(context.pstate | ((type === JUMP && !guarded ? JUMP_FROM_ANYWHERE : type) << BTYPE_SHIFT));
  }

  /** Whether a page that the instruction TLB has is guarded. */
  #isGuarded({ va }: CodePage): boolean {
    return this.#host.memory.u32[(this.#itlbEntry(va) + Itlb.Guarded) >> 2] === 1;
  }

  /** Address of the place of a page in the instruction TLB that generated code uses. */
  #itlbEntry(va: number): number {
    return (this.#host.memory.u32[VcpuState.Itlb >> 2] ?? 0) + tlbIndex(va, Itlb.Entries) * Itlb.EntryBytes;
  }

  /** Looks up the record at the PC; takes an exception if the last branch may not go there. Results as of `#find`. */
  #fetch(context: Context, simdAccess: boolean): number {
    const record = this.#find(context, simdAccess);
    const { pstate } = context;
    if ((pstate & Pstate.Btype) === 0 || record <= 0) return record;
    const page = this.#host.code.pageOf(record);
    const type = (pstate & Pstate.Btype) >>> BTYPE_SHIFT;
    const strict = (context.sctlrHigh & (context.el === 0 ? SctlrHigh.BT0 : SctlrHigh.BT1)) !== 0;
    const guarded = page !== undefined && this.#isGuarded(page);
    if (guarded && !acceptsBranch(this.#host.code.wordOf(page, record), type, strict)) {
      context.raise(syndrome(ExceptionClass.BranchTarget, type), 0n);
      return 0;
    }
    context.setMode(pstate & ~Pstate.Btype);
    return record;
  }

  /** Looks up the record at the PC. @returns 0 if it took an exception to EL1 instead, -1 for one to EL2 */
  #find(context: Context, simdAccess: boolean): number {
    const { u32, u64 } = this.#host.memory;
    // A branch drops the tag of its target (Arm ARM, AArch64.BranchAddr).
    u32[PC_HIGH] = untagged(u32[PC_HIGH] ?? 0, context.topByteIgnoredByBranches);
    const pc = readSigned(u32, ContextState.Pc);
    if (((u32[ContextState.Pc >> 2] ?? 0) & 3) !== 0) {
      context.raise(syndrome(ExceptionClass.PcAlignment, 0), u64[ContextState.Pc >> 3] ?? 0n);
      return 0;
    }
    const { el } = context;
    const va = pageOf(pc);
    const offset = ((pc - va) / 4) * Record.Bytes;
    const entry = this.#itlbEntry(va);
    if (readSigned(u32, entry + Itlb.Tag) === va) return (u32[(entry + Itlb.Records) >> 2] ?? 0) + offset;
    const { tlbs } = context;
    let set = tlbs.current;
    let source = set?.findFetch(va) ?? -1;
    if (set !== undefined && source >= 0) return this.#enterPage(set, source, va, simdAccess).records + offset;
    const translation = context.regime.translate(pc, Access.Execute, el);
    const { place, status, stage2, ipa, inWalk, guest } = translation;
    if (place < 0) {
      if (stage2) {
        const iss = status | (inWalk ? S1PTW : 0);
        if (guest === true) {
          this.#abortToGuest(context, syndrome(ExceptionClass.InstructionAbortLower, iss), ContextState.Pc, 0, ipa);
          return 0;
        }
        this.#abortToEl2(ExceptionClass.InstructionAbortLower, iss, ContextState.Pc, 0, ipa, false);
        return -1;
      }
      const ec = el === 0 ? ExceptionClass.InstructionAbortLower : ExceptionClass.InstructionAbortSame;
      context.raise(syndrome(ec, status), u64[ContextState.Pc >> 3] ?? 0n);
      return 0;
    }
    set = tlbs.fillFetch(va, translation, simdAccess);
    source = pageOf(place);
    return this.#enterPage(set, source, va, simdAccess).records + offset;
  }

  /** Gives generated code the records of a page whose translation is in an instruction TLB. */
  #enterPage(set: TlbSet, source: number, va: number, simdAccess: boolean): CodePage {
    const page = this.#codePage(source, va, simdAccess);
    set.setRecords(va, page.records);
    return page;
  }

  #codePage(source: number, va: number, simdAccess: boolean): CodePage {
    const { code } = this.#host;
    const page = code.find(source, va, simdAccess) ?? this.#addPage(source, va, simdAccess, true);
    if (page === undefined) throw engineFault('the code cache refused a page');
    code.fetched(page);
    return page;
  }

  #addPage(source: number, va: number, simdAccess: boolean, replaces = false): CodePage | undefined {
    const { code } = this.#host;
    if (!code.hasCode(source)) this.#host.guardCode(source);
    return code.add(source, va, simdAccess, replaces);
  }

  /** Decodes code from the exit record on. */
  #decode(context: Context, pc: number, simdAccess: boolean): void {
    const { el, regime } = context;
    const { code } = this.#host;
    const pages = new Map([[pageOf(pc), this.#exitPage]]);
    code.decodeFrom(pc, (va) => {
      if (pages.has(va)) return pages.get(va);
      this.#spending.spent += Cost.SlowAccess;
      const { place } = regime.translate(va, Access.Execute | Access.Speculative, el);
      const page = place < 0 ? undefined : (code.find(place, va, simdAccess) ?? this.#addPage(place, va, simdAccess));
      pages.set(va, page);
      return page;
    });
  }

  /** The instruction word of the exit record. */
  get #word(): number {
    return this.#exitPage === undefined ? 0 : this.#host.code.wordOf(this.#exitPage, this.#exitRecord);
  }

  #executeSystem(context: Context): Next {
    const outcome = this.#system.execute(context, this, this.#exitRecord);
    switch (outcome) {
      case 'next':
        context.advancePc(INSTRUCTION);
        this.#retire();
        return 'continue';
      case 'jumped':
        this.#retire();
        return 'continue';
      case 'exception': {
        const { target, esr, far } = this.#system.exception;
        this.#retire();
        return this.#except(context, target, esr, far) ? 'continue' : RunExit.Sync;
      }
      case 'abort':
        return this.#dataAbort(context);
      case 'undefined':
        return this.#undefined(context);
      case 'wfi':
      case 'wfe':
        context.advancePc(INSTRUCTION);
        this.#retire();
        if (outcome === 'wfi') this.#wait.forInterrupt(this.#system.until);
        else this.#wait.forEvent(this.#monitored(context), this.now, context.cntkctl, this.#system.until);
        return RunExit.Wait;
    }
  }

  /** Offset of the byte that the exclusive monitor marks; -1 if it marks none, or one that is no longer mapped. */
  #monitored(context: Context): number {
    const { u32, u64 } = this.#host.memory;
    if (u64[ContextState.ExclusiveAddress >> 3] === MONITOR_OPEN) return -1;
    const va = readAddress(u32, ContextState.ExclusiveAddress, context.topByteIgnored);
    return context.regime.translate(va, Access.Read | Access.Speculative, context.el).place;
  }

  #retire(): void {
    this.#charge();
    this.#retiredAt[this.#el] = (this.#retiredAt[this.#el] ?? 0) + 1;
  }

  #charge(): void {
    this.#remaining -= Cost.Event;
    this.retired += 1;
    this.#clock.advance(1);
    this.#surcharge += Cost.Event - 1;
    this.effort += 1;
  }

  #dataAbort(context: Context): Next {
    const { fault } = this.#host.access;
    if (fault.again) {
      this.#host.code.dropCondemned();
      return 'again';
    }
    const { status, stage2, distance, ipa, inWalk, guest, write, maintenance } = fault;
    const iss = status | (write ? WNR : 0) | (maintenance ? CM : 0);
    if (stage2) {
      const more = inWalk ? S1PTW : dataAbortIss(this.#word, write);
      if (guest) {
        const esr = syndrome(ExceptionClass.DataAbortLower, iss | more);
        this.#abortToGuest(context, esr, VcpuState.SlowAddress, distance, ipa);
        return this.#taken();
      }
      this.#abortToEl2(ExceptionClass.DataAbortLower, iss | more, VcpuState.SlowAddress, distance, ipa, write);
      this.exit.instruction = this.#word;
      return RunExit.Sync;
    }
    const ec = context.el === 0 ? ExceptionClass.DataAbortLower : ExceptionClass.DataAbortSame;
    const address = this.#host.memory.u64[VcpuState.SlowAddress >> 3] ?? 0n;
    context.raise(syndrome(ec, iss), BigInt.asUintN(64, address + BigInt(distance)));
    return this.#taken();
  }

  /** @param at where the state has the address @param distance from it to the faulting byte */
  #abortToEl2(ec: number, iss: number, at: number, distance: number, ipa: number, write: boolean): void {
    const permission = (iss & FaultStatus.Permission) === FaultStatus.Permission;
    this.#report(2, syndrome(ec, iss), ipa, write, permission);
    const { u32, u64 } = this.#host.memory;
    u32[VcpuState.FarEl2 >> 2] = u32[at >> 2] ?? 0;
    u32[(VcpuState.FarEl2 + 4) >> 2] = u32[(at + 4) >> 2] ?? 0;
    if (distance !== 0) u64[VcpuState.FarEl2 >> 3] = (u64[at >> 3] ?? 0n) + BigInt(distance);
    // FIPA is bits 51:12 of the address at bit 4 (Arm ARM, D24.2.72).
    writeSigned(u32, VcpuState.HpfarEl2, Math.floor(ipa / PAGE) * 16);
  }

  /**
   * Takes an exception without an address of stage 2.
   *
   * @param target 1 for the level that has the exceptions of the current one
   * @returns false if that ends the run, since no guest code handles it
   */
  #except(context: Context, target: ExceptionLevel, esr: number, far: bigint): boolean {
    if (target === 1) context.raise(esr, far);
    else if (target === 2 && context.el2 !== undefined) context.takeToEl2(esr, far);
    else {
      this.#report(target, esr, 0, false, false);
      return false;
    }
    return true;
  }

  /**
   * Takes a fault of the guest's own stage 2 to its EL2.
   *
   * @param at where the state has the address @param distance from it to the faulting byte
   */
  #abortToGuest(context: Context, esr: number, at: number, distance: number, ipa: number): void {
    const far = BigInt.asUintN(64, (this.#host.memory.u64[at >> 3] ?? 0n) + BigInt(distance));
    context.takeToEl2(esr, far, BigInt(Math.floor(ipa / PAGE) * 16));
  }

  /** Fills in an exit. */
  #report(target: ExceptionLevel, esr: number, ipa: number, write: boolean, permission: boolean): void {
    this.#surcharge += Cost.Exit;
    this.effort += Cost.Exit;
    const { exit } = this;
    exit.target = target;
    exit.ec = esr >>> 26;
    exit.esr = esr;
    exit.ipa = ipa;
    exit.write = write;
    exit.permission = permission;
    const { u32 } = this.#host.memory;
    writeSigned(u32, VcpuState.EsrEl2, esr);
    writeSigned(u32, VcpuState.FarEl2, 0);
    writeSigned(u32, VcpuState.HpfarEl2, 0);
  }

  #simdTrap(context: Context): Next {
    const target = context.simdTrap;
    if (target === undefined) throw engineFault('code traps that was decoded to run');
    const esr = syndrome(ExceptionClass.SimdFp, CV_AL);
    return this.#except(context, target, esr, 0n) ? this.#taken() : RunExit.Sync;
  }

  #undefined(context: Context): Next {
    this.#host.onUndefined?.(this.#word, context.pc);
    context.raise(syndrome(ExceptionClass.Unknown, 0), 0n);
    return this.#taken();
  }
}

/** The interrupt that is signalled and not masked. */
function interruptTaken({ irq, fiq, virtual }: InterruptSignals, context: Context): PendingInterrupt | undefined {
  return context.interruptTaken(irq, fiq, virtual);
}
