import type { Cpu, CpuContext, Stage2, Vcpu } from '../../cpu/index.ts';

/** RECs that may exist at once in a machine: the CPU has room for the contexts of four planes on so many. */
const MAX_RECS = 15;

/** A virtual processor with the contexts of its planes. They outlive the REC, since a CPU cannot free contexts. */
export class VcpuSlot {
  /** Affinity fields of MPIDR_EL1. */
  readonly mpidr: number;
  readonly vcpu: Vcpu;
  readonly #contexts: (CpuContext | undefined)[] = [];

  constructor(vcpu: Vcpu, mpidr: number) {
    this.vcpu = vcpu;
    this.mpidr = mpidr;
  }

  /** The context of a plane, in its reset state. */
  context(plane: number, stage2: Stage2): CpuContext {
    const known = this.#contexts[plane];
    if (known !== undefined) {
      known.reset(stage2);
      return known;
    }
    const context = this.vcpu.createContext(stage2);
    this.#contexts[plane] = context;
    return context;
  }
}

/** Allocates virtual processors for RECs. */
export class VcpuPool {
  readonly #cpu: Cpu;
  readonly #free: VcpuSlot[] = [];
  #made = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** @returns undefined if none with that affinity is left */
  acquire(mpidr: number): VcpuSlot | undefined {
    const at = this.#free.findIndex((slot) => slot.mpidr === mpidr);
    if (at >= 0) return this.#free.splice(at, 1)[0];
    if (this.#made === MAX_RECS) return undefined;
    this.#made++;
    return new VcpuSlot(this.#cpu.createVcpu(mpidr), mpidr);
  }

  release(slot: VcpuSlot): void {
    this.#free.push(slot);
  }
}
