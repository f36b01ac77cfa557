import { PetriError } from '../../../petri/errors.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../machine/index.ts';

/** Hands out granules of DRAM to the Normal world: those given back first, then ever higher ones. */
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

  /** Granules that could still be allocated one by one. */
  get available(): number {
    return this.#free.length + (this.#end - this.#next) / GRANULE_SIZE;
  }

  /** Bytes from the start of DRAM that were ever handed out: beyond them nothing was written. */
  get highWater(): number {
    return this.#next - this.#start;
  }

  /**
   * @returns its physical address; what it holds is left from its last use
   *
   * @throws PetriError when there is none left
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
