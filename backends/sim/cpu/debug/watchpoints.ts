import { Access } from '../mmu/regime.ts';
import { pageOf } from '../mmu/virtual-address.ts';

/** A range of virtual addresses of which some accesses stop the guest. */
export interface Watchpoint {
  /** First byte: a signed canonical address. */
  readonly address: number;
  /** Bytes, at least one. */
  readonly bytes: number;
  /** `Access.Read`, `Access.Write`, or both. */
  readonly access: number;
}

/** The watchpoints of a machine, asked by loads and stores that miss the TLB: pages with one are never in it. */
export class Watchpoints {
  readonly #all: readonly Watchpoint[];
  readonly #pages = new Set<number>();
  readonly #stop: (hit: Watchpoint, address: number) => boolean;

  /** @param stop called with an access that a watchpoint covers. @returns whether the guest is to stop before it */
  constructor(all: readonly Watchpoint[], stop: (hit: Watchpoint, address: number) => boolean) {
    this.#all = all;
    this.#stop = stop;
    for (const { address, bytes } of all) {
      for (let page = pageOf(address); page < address + bytes; page += 4096) this.#pages.add(page);
    }
  }

  covers(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Whether the guest stops before an access. @param kind bits of `Access` */
  stops(address: number, bytes: number, kind: number): boolean {
    const hit = this.#all.find(
      (one) => (one.access & kind) !== 0 && address < one.address + one.bytes && one.address < address + bytes,
    );
    return hit !== undefined && this.#stop(hit, Math.max(address, hit.address));
  }
}

/** Kinds of access that a watchpoint may have. */
export const Watched = { Read: Access.Read, Write: Access.Write, Any: Access.Read | Access.Write } as const;
