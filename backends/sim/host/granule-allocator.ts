import { PetriError } from '../../../petri/errors.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../machine/index.ts';

/** Allocates granules of DRAM for the Normal world: first those that were freed, then new ones in ascending order. */
export class GranuleAllocator {
  readonly #start: number;
  readonly #end: number;
  readonly #free: number[] = [];
  #next: number;

  constructor(memory: PhysicalMemory) {
    this.#start = memory.base;
    this.#next = memory.base;
    this.#end = memory.base + memory.bytes;
  }

  /** Number of granules that can still be allocated one by one. */
  get available(): number {
    return this.#free.length + (this.#end - this.#next) / GRANULE_SIZE;
  }

  /** Size of the part of DRAM that was ever allocated, in bytes; beyond it nothing was written. */
  get highWater(): number {
    return this.#next - this.#start;
  }

  /**
   * @returns its physical address; it still holds what its last user wrote
   *
   * @throws PetriError if none is left
   */
  allocate(): number {
    return this.#free.pop() ?? this.allocateRun(1);
  }

  /** @returns physical address of `count` granules, aligned to their size; `count` is a power of two */
  allocateRun(count: number): number {
    const bytes = count * GRANULE_SIZE;
    const base = Math.ceil(this.#next / bytes) * bytes;
    if (base + bytes > this.#end) throw outOfMemory(count);
    for (; this.#next < base; this.#next += GRANULE_SIZE) this.#free.push(this.#next);
    this.#next = base + bytes;
    return base;
  }

  free(pa: number): void {
    this.#free.push(pa);
  }
}

function outOfMemory(count: number): PetriError {
  return new PetriError(`the simulated machine has no ${count} granules of physical memory left`, {
    code: 'backend-fault',
    step: 'run',
    remedy: 'make the VM smaller, or let it touch less of its memory',
  });
}
