import { Clock } from './clock.ts';
import { CodeCache, type CodePage } from './code/code-cache.ts';
import { Context, type RegimeFactory } from './pe/context.ts';
import type { El2Identity } from './pe/el2/el2-state.ts';
import { fillCrcTables } from './isa/crc-tables.ts';
import { fillSubstitutionBoxes } from './isa/crypto/substitution-boxes.ts';
import { DataAccess } from './mmu/data-access.ts';
import type { TlbInvalidation } from './mmu/tlb-invalidation.ts';
import { TlbPool } from './mmu/tlb-pool.ts';
import { El1Regime } from './mmu/el1-regime.ts';
import { createExactUnit } from './float/exact-unit.ts';
import { Access } from './mmu/regime.ts';
import type { LinearMemory } from './linear-memory.ts';
import { MAX_CONTEXTS, savedVcpu, STATE_BYTES, VCPU_SAVED_BYTES, VcpuState } from './layout.ts';
import { BlockCompiler } from './tier1/block-compiler.ts';
import { Effort } from './effort.ts';
import { DebugControl, type DebugHost } from './debug/debug-control.ts';
import type { Watchpoints } from './debug/watchpoints.ts';
import { engineFault } from './engine-fault.ts';
import { HandlerTable } from './tier0/handler-table.ts';
import { HandlerLibrary } from './tier0/handlers.ts';
import type { CpuState } from './state.ts';
import { nextRandom } from './pe/random.ts';
import type { CpuContext, CpuOptions, DebuggableCpu, Stage2, Vcpu } from './types.ts';
import { VirtualCpu, type VcpuHost } from './pe/vcpu.ts';

const PAGE = 4096;
/** A machine with more pages of code is cleaned all at once before reuse, one with fewer page by page. */
const MAX_PAGES_TO_CLEAN = 64;
const MAX_BLOCKS_TO_CLEAN = 256;

/** One for the process: handlers do not depend on the machine that runs them. */
const library = new HandlerLibrary();

/** The processors of one machine, on its linear memory. */
export class MachineCpu implements DebuggableCpu, VcpuHost, DebugHost {
  readonly memory: LinearMemory;
  readonly code: CodeCache;
  readonly access: DataAccess;
  readonly clock = new Clock();
  readonly effort = new Effort();
  readonly yieldAfterCompiling: boolean;
  onUndefined: ((word: number, pc: bigint) => void) | undefined;
  debug: DebugControl | undefined;
  readonly #table: HandlerTable;
  readonly #regime: RegimeFactory;
  readonly #tlbs: TlbPool;
  readonly #contexts: Context[] = [];
  readonly #vcpus: VirtualCpu[] = [];
  #current: VirtualCpu | undefined;
  readonly #blocks: BlockCompiler;

  constructor(memory: LinearMemory, options: CpuOptions = {}) {
    const { yieldAfterCompiling = false, recordPages, regime } = options;
    this.#regime = regime ?? ((stage2, registers) => new El1Regime(memory, stage2, registers));
    this.yieldAfterCompiling = yieldAfterCompiling;
    this.memory = memory;
    this.#table = new HandlerTable(memory, library, this.effort);
    this.#tlbs = new TlbPool(memory, this.effort);
    this.code = new CodeCache(memory, this.#table, this.effort, this.#tlbs, recordPages);
    this.access = new DataAccess(memory, this.code, this.effort);
    const { slowRead, slowWrite, slowModify, slowZero, commitWrite } = this.access;
    this.#table.connect({
      slowRead,
      slowWrite,
      slowModify,
      slowZero,
      commitWrite,
      exact: createExactUnit(memory, this.effort),
    });
    this.#blocks = new BlockCompiler(memory, this.code, (placed) => {
      this.#table.placeBlocks(placed);
    });
    fillCrcTables(memory);
    fillSubstitutionBoxes(memory);
  }

  createVcpu(mpidr: number): Vcpu {
    const vcpu = new VirtualCpu(this, this.#vcpus.length, mpidr);
    this.memory.u8.fill(0, savedVcpu(vcpu.index), savedVcpu(vcpu.index) + VCPU_SAVED_BYTES);
    this.#vcpus.push(vcpu);
    return vcpu;
  }

  invalidate(stage2: Stage2): void {
    for (const context of this.#contexts) {
      if (context.stage2 === stage2) context.flushTlb();
    }
  }

  invalidateTlbs(stage2: Stage2, request: TlbInvalidation): void {
    for (const context of this.#contexts) {
      if (context.stage2 === stage2) context.invalidateTlb(request);
    }
  }

  wrote(offset: number, bytes: number): void {
    this.code.written(offset, bytes);
    // Pages that are overwritten entirely have new contents.
    for (let page = Math.ceil(offset / PAGE) * PAGE; page + PAGE <= offset + bytes; page += PAGE) this.code.drop(page);
  }

  recycle(): void {
    this.code.undebug();
    if (this.code.size > MAX_PAGES_TO_CLEAN || this.#table.blocks > MAX_BLOCKS_TO_CLEAN) this.#startOver();
    else this.code.dropAll();
    this.#tlbs.reset();
    this.#contexts.length = 0;
    this.#vcpus.length = 0;
    this.#current = undefined;
    this.onUndefined = undefined;
    this.debug = undefined;
    this.access.watchpoints = undefined;
    this.clock.reset();
    this.memory.u8.fill(0, 0, STATE_BYTES);
  }

  attachDebugger(): DebugControl {
    return (this.debug ??= new DebugControl(this));
  }

  detachDebugger(): void {
    this.code.undebug();
    this.debug = undefined;
    if (this.access.watchpoints !== undefined) this.setWatch(undefined);
  }

  get held(): boolean {
    return this.debug?.stop !== undefined;
  }

  setStops(addresses: ReadonlySet<number>): void {
    this.code.setStops(addresses);
  }

  setWatch(watchpoints: Watchpoints | undefined): void {
    this.access.watchpoints = watchpoints;
    for (const context of this.#contexts) context.flushTlb();
  }

  onFirst(execute: (va: number) => void): void {
    this.code.onFirst = execute;
  }

  place(context: CpuContext, va: number): number {
    const { regime, el } = this.contextAt(context);
    return regime.translate(va, Access.Speculative, el === 0 ? 1 : el).place;
  }

  simdOffset(vcpu: Vcpu): number {
    const found = this.#vcpus.find((one) => one === vcpu);
    if (found === undefined) throw new RangeError('the vCPU belongs to another machine');
    return found.simdOffset;
  }

  newContext(stage2: Stage2, el2?: El2Identity): Context {
    if (this.#contexts.length >= MAX_CONTEXTS)
      throw new RangeError(`a machine has at most ${String(MAX_CONTEXTS)} contexts`);
    const context = new Context(this.memory, this.#tlbs, this.#contexts.length, stage2, this.#regime, el2);
    this.#contexts.push(context);
    return context;
  }

  contextAt(context: CpuContext): Context {
    const found = this.#contexts.find((candidate) => candidate === context);
    if (found === undefined) throw new RangeError('the context belongs to another machine');
    return found;
  }

  /** The generator has the same seed in every machine, so that a run is the same every time. */
  random(): bigint {
    const { u64 } = this.memory;
    const { state, value } = nextRandom(u64[VcpuState.Random >> 3] ?? 0n);
    u64[VcpuState.Random >> 3] = state;
    return value;
  }

  save(): CpuState {
    // What TLBs hold is not saved, and a guest may see what they held: those of this machine are empty now, too.
    for (const context of this.#contexts) context.flushTlb();
    return {
      now: this.clock.now,
      random: this.memory.u64[VcpuState.Random >> 3] ?? 0n,
      vcpus: this.#vcpus.map((vcpu) => vcpu.save()),
      current: this.#current === undefined ? -1 : this.#vcpus.indexOf(this.#current),
    };
  }

  restore({ now, random, vcpus, current }: CpuState): void {
    this.clock.restore(now);
    this.memory.u64[VcpuState.Random >> 3] = random;
    const running = this.#vcpus[current];
    // First, since a change of vCPU is an event and clears the exclusive monitor.
    if (running !== undefined) this.makeCurrent(running);
    vcpus.forEach((state, index) => this.#vcpus[index]?.restore(state));
  }

  sendEvent(): void {
    for (const vcpu of this.#vcpus) vcpu.event = true;
  }

  makeCurrent(vcpu: VirtualCpu): void {
    if (this.#current === vcpu) return;
    this.#current?.suspend();
    this.#current = vcpu;
    vcpu.resume();
  }

  get missingHandlers(): number {
    return this.#table.missing;
  }

  loadHandlers(): void {
    if (!this.#table.worn) this.#table.load();
    if (this.#table.worn) this.#renewTable();
  }

  compile(page: CodePage, pc: number): number {
    if (!this.#table.worn) return this.#blocks.compile(page, pc);
    this.#renewTable();
    return 0;
  }

  /**
   * To be called when code is found on a page that had none: from now on all stores to it must take the slow path.
   */
  guardCode(source: number): void {
    this.#tlbs.guard(source);
  }

  /**
   * Replaces the handler table with all of its instances, and so all blocks. A guest that makes new code without end,
   * or uses instructions that no program used before, one at a time, would otherwise fill the host's memory.
   */
  #renewTable(): void {
    this.code.forgetBlocks();
    library.merge();
    this.#table.replace(true);
  }

  /** Forgets all code and the handler table. */
  #startOver(): void {
    this.code.forget(MAX_PAGES_TO_CLEAN);
    this.#tlbs.dropAllRecords();
    library.merge();
    this.#table.replace();
  }

  enter(record: number, limit: number): number {
    try {
      return this.#table.enter(record, limit);
    } catch (cause) {
      if (cause instanceof WebAssembly.RuntimeError)
        throw engineFault(`generated code trapped: ${cause.message}`, cause);
      throw cause;
    }
  }
}
