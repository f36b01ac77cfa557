import { CodeCache, type CodePage } from './code-cache.ts';
import { Context } from './context.ts';
import { fillCrcTables } from './crc-tables.ts';
import { DataAccess } from './data-access.ts';
import { createHelper } from './exact-float.ts';
import type { LinearMemory } from './linear-memory.ts';
import { MAX_CONTEXTS, savedVcpu, VCPU_SAVED_BYTES } from './state.ts';
import { BlockCompiler } from './tier1/block-compiler.ts';
import { HandlerLibrary, type HandlerModule } from './tier0/handlers.ts';
import type { importNames } from './tier0/imports.ts';
import type { Cpu, CpuContext, CpuOptions, Stage2, Vcpu } from './types.ts';
import { VirtualCpu, type VcpuHost } from './vcpu.ts';

type ImportFunctions = Readonly<Record<(typeof importNames)[number], (first: number, second: number) => number>>;

/** Room for what an ordinary payload uses; doubled when it is not enough. */
const FIRST_TABLE_SIZE = 1024;

/** Instances of one machine, each with a copy of its table. */
const MAX_INSTANCES = 256;

function newTable(): WebAssembly.Table {
  return new WebAssembly.Table({ element: 'anyfunc', initial: FIRST_TABLE_SIZE });
}

/** One for the process: handlers do not depend on the machine that runs them. */
const library = new HandlerLibrary();
library.prepare();

/** The processors of one machine, on its linear memory. */
export class MachineCpu implements Cpu, VcpuHost {
  readonly memory: LinearMemory;
  readonly code: CodeCache;
  readonly access: DataAccess;
  readonly yieldAfterCompiling: boolean;
  onUndefined: ((word: number, pc: bigint) => void) | undefined;
  #table: WebAssembly.Table;
  readonly #imports: ImportFunctions;
  readonly #contexts: Context[] = [];
  readonly #vcpus: VirtualCpu[] = [];
  #current: VirtualCpu | undefined;
  readonly #blocks: BlockCompiler;
  /** Handlers of the library that the table has. */
  #loaded = 0;
  #instances = 0;
  #enter: ((record: number, limit: number) => number) | undefined;

  constructor(memory: LinearMemory, { yieldAfterCompiling = false }: CpuOptions = {}) {
    this.yieldAfterCompiling = yieldAfterCompiling;
    this.memory = memory;
    this.code = new CodeCache(memory, library);
    this.access = new DataAccess(memory, this.code);
    this.#table = newTable();
    const { slowRead, slowWrite, slowModify, commitWrite } = this.access;
    this.#imports = { slowRead, slowWrite, slowModify, commitWrite, helper: createHelper(memory) };
    this.#blocks = new BlockCompiler(memory, this.code, (compiled) => this.#instantiate(compiled));
    fillCrcTables(memory);
    this.loadHandlers();
  }

  createVcpu(mpidr: number): Vcpu {
    const vcpu = new VirtualCpu(this, this.#vcpus.length, mpidr);
    this.memory.u8.fill(0, savedVcpu(vcpu.index), savedVcpu(vcpu.index) + VCPU_SAVED_BYTES);
    this.#vcpus.push(vcpu);
    return vcpu;
  }

  invalidate(stage2: Stage2, ipa: number, bytes: number): void {
    for (const context of this.#contexts) {
      if (context.stage2 !== stage2) continue;
      context.flushTlb();
      this.code.drop(context.index, ipa, bytes);
    }
  }

  wrote(offset: number, bytes: number): void {
    this.code.written(offset, bytes);
  }

  recycle(): void {
    this.code.dropAll();
    this.#contexts.length = 0;
    this.#vcpus.length = 0;
    this.#current = undefined;
    this.onUndefined = undefined;
  }

  newContext(stage2: Stage2): Context {
    if (this.#contexts.length >= MAX_CONTEXTS)
      throw new RangeError(`a machine has at most ${String(MAX_CONTEXTS)} contexts`);
    const context = new Context(this.memory, this.#contexts.length, stage2);
    this.#contexts.push(context);
    return context;
  }

  contextAt(context: CpuContext): Context {
    const found = this.#contexts.find((candidate) => candidate === context);
    if (found === undefined) throw new RangeError('the context belongs to another machine');
    return found;
  }

  makeCurrent(vcpu: VirtualCpu): void {
    if (this.#current === vcpu) return;
    this.#current?.suspend();
    this.#current = vcpu;
    vcpu.resume();
  }

  loadHandlers(): boolean {
    // New code is decoded before it is compiled, so this is where it all passes.
    if (this.#instances > MAX_INSTANCES) this.#startOver();
    const before = this.#loaded;
    for (const part of library.flush(this.#loaded)) {
      const instance = this.#instantiate(part);
      // Safe: the part of the library that begins with its first handler exports `enter` with this type.
      this.#enter ??= instance.exports['enter'] as (record: number, limit: number) => number;
      this.#loaded = part.end;
    }
    return this.#loaded > before;
  }

  compile(page: CodePage, pc: number): number {
    return this.#blocks.compile(page, pc);
  }

  /**
   * Forgets all code and the table, and with it every instance: a guest that makes new code for ever, or uses instructions one by
   * one that nobody used before, would fill the host's memory with them.
   */
  #startOver(): void {
    this.code.dropAll();
    for (const context of this.#contexts) context.flushInstructionTlb();
    library.consolidate();
    this.#table = newTable();
    this.#instances = 0;
    this.#loaded = 0;
    this.#enter = undefined;
  }

  #instantiate({ module, tableSize }: HandlerModule): WebAssembly.Instance {
    this.#instances += 1;
    const { length } = this.#table;
    if (tableSize > length) this.#table.grow(Math.max(tableSize, length * 2) - length);
    return new WebAssembly.Instance(module, {
      env: { memory: this.memory.memory, table: this.#table, ...this.#imports },
    });
  }

  enter(record: number, limit: number): number {
    if (this.#enter === undefined) throw new RangeError('handlers are not loaded');
    return this.#enter(record, limit);
  }
}
