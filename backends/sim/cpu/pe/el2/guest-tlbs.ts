import type { ContextTlbs } from '../../mmu/context-tlbs.ts';
import type { TlbInvalidation } from '../../mmu/tlb-invalidation.ts';

/** Stages 2 whose TLBs are kept: those of a host and of a few guests. */
const MAX_KEPT = 6;

interface Kept {
  readonly key: string;
  readonly vmid: number;
  readonly tlbs: ContextTlbs;
}

/** The TLBs of the EL1&0 regime of a context with EL2, by stage 2. Its entries are of both stages. */
export class GuestTlbs {
  readonly #make: () => ContextTlbs;
  /** The most recently used first; never empty. */
  readonly #kept: Kept[];

  constructor(make: () => ContextTlbs) {
    this.#make = make;
    this.#kept = [{ key: '', vmid: 0, tlbs: make() }];
  }

  get current(): ContextTlbs {
    return this.#kept[0]?.tlbs ?? this.#make();
  }

  /** Selects those of a stage 2. @param key all that it depends on @returns whether they are others than before */
  select(key: string, vmid: number): boolean {
    if (this.#kept[0]?.key === key) return false;
    const at = this.#kept.findIndex((kept) => kept.key === key);
    const [kept = { key, vmid, tlbs: this.#make() }] = at < 0 ? [] : this.#kept.splice(at, 1);
    this.#kept.unshift(kept);
    if (this.#kept.length > MAX_KEPT) this.#kept.pop()?.tlbs.flush();
    return true;
  }

  /** TLB maintenance, of one VMID or all. */
  invalidate(request: TlbInvalidation): void {
    for (const { vmid, tlbs } of this.#kept) {
      if (request.vmid !== undefined && request.vmid !== vmid) continue;
      if (request.bothStages === true) tlbs.flush();
      else tlbs.invalidate(request);
    }
  }

  flush(): void {
    for (const { tlbs } of this.#kept) tlbs.flush();
  }
}
