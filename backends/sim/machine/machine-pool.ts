import { PetriError } from '../../../petri/errors.ts';
import {
  createCpu,
  type DebuggableCpu,
  DRAM_OFFSET,
  LinearMemory,
  RECORD_PAGE_BYTES,
  RECORD_PAGES,
} from '../cpu/index.ts';
import { PhysicalMemory } from './physical-memory.ts';

/** The memory and processors of a VM. */
export interface Machine {
  readonly linear: LinearMemory;
  readonly cpu: DebuggableCpu;
  readonly dram: PhysicalMemory;
}

/** A range of linear memory. */
export interface MemoryRange {
  readonly offset: number;
  readonly bytes: number;
}

const MIB = 1024 * 1024;
/** Sizes are rounded up to a multiple of this, so that VMs of similar size share machines. */
const SIZE_STEP = 64 * MIB;
/** Machines with this much memory have an operating system, whose code needs more room than that of a TMK. */
const LARGE = 256 * MIB;
const MORE_RECORDS = 64 * MIB;
/** Machines kept for reuse: more than one worker of a test runner has VMs at once. */
const MAX_IDLE = 4;
/** A machine with more written memory is discarded: it would use more memory than making another is worth. */
const MAX_TOUCHED = 64 * MIB;

/**
 * Machines that the VMs of this thread reuse. Making one reserves address space and compiles the engine; reusing one
 * only costs clearing what the last VM wrote. No data of one VM reaches the next.
 */
export class MachinePool {
  readonly #idle: Machine[] = [];

  /** @param dramBytes minimum size of DRAM */
  acquire(dramBytes: number): Machine {
    const bytes = Math.ceil(dramBytes / SIZE_STEP) * SIZE_STEP;
    const found = this.#idle.findIndex((machine) => machine.dram.bytes === bytes);
    const [machine] = found < 0 ? [] : this.#idle.splice(found, 1);
    return machine ?? makeMachine(bytes);
  }

  /**
   * Takes a machine back.
   *
   * @param touched every range of linear memory from DRAM on that was written since `acquire`
   */
  release(machine: Machine, touched: readonly MemoryRange[]): void {
    const total = touched.reduce((sum, range) => sum + range.bytes, 0);
    if (this.#idle.length >= MAX_IDLE || total > MAX_TOUCHED) return;
    // First, since it keeps decoded code together with the memory that it was decoded from.
    machine.cpu.recycle();
    for (const { offset, bytes } of touched) machine.linear.u8.fill(0, offset, offset + bytes);
    this.#idle.push(machine);
  }
}

function makeMachine(dramBytes: number): Machine {
  const records = dramBytes < LARGE ? 0 : MORE_RECORDS;
  const start = DRAM_OFFSET + records;
  const linear = allocate(start + dramBytes);
  const recordPages = RECORD_PAGES + Math.floor(records / RECORD_PAGE_BYTES);
  return {
    linear,
    cpu: createCpu(linear, { yieldAfterCompiling: true, recordPages }),
    dram: new PhysicalMemory(linear, start, dramBytes),
  };
}

function allocate(bytes: number): LinearMemory {
  try {
    return new LinearMemory(bytes);
  } catch (cause) {
    throw new PetriError(`there is no address space for another machine of ${bytes / MIB} MiB`, {
      code: 'backend-fault',
      step: 'launch',
      remedy: 'run fewer VMs at once (each reserves about 10 GiB of address space), or raise `ulimit -v`',
      cause,
    });
  }
}

/** The pool of this thread. */
export const machinePool = new MachinePool();
