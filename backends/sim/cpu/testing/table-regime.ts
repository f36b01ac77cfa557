import type { ExceptionLevel } from '../exception-level.ts';
import { Access, FaultStatus, type Regime, type Translation } from '../mmu/regime.ts';
import { Stage2Access } from '../mmu/stage2-access.ts';
import type { Stage2 } from '../types.ts';

const PAGE = 4096;
const LEVEL = 3;

interface Page {
  readonly ipa: number;
  /** Bits of `Access` by Exception level. */
  readonly allowed: readonly [el0: number, el1: number];
  readonly guarded: boolean;
}

const ALL = Access.Read | Access.Write | Access.Execute;

const PAGE_OF_STAGE1 = { global: true, device: false, spanBits: 12 } as const;

/** A stage 1 for tests: a table of pages, in Normal memory, over a stage 2. */
export class TableRegime implements Regime {
  readonly #pages = new Map<number, Page>();
  readonly #stage2: Stage2Access;

  constructor(stage2: Stage2) {
    this.#stage2 = new Stage2Access(stage2);
  }

  /** Call `Cpu.invalidate` afterwards, as for a change of stage 2. */
  map(va: number, ipa: number, el0 = ALL, el1 = ALL, guarded = false): void {
    this.#pages.set(va, { ipa, allowed: [el0, el1], guarded });
  }

  translate(va: number, access: number, el: ExceptionLevel): Translation {
    const base = Math.floor(va / PAGE) * PAGE;
    const page = this.#pages.get(base);
    if (page === undefined) return fault(FaultStatus.Translation + LEVEL);
    const wanted = access & ALL;
    const allowed = page.allowed[el === 0 ? 0 : 1];
    if ((allowed & wanted) !== wanted) return fault(FaultStatus.Permission + LEVEL);
    const { place, status, stage2, ipa, inWalk, ...second } = this.#stage2.translate(
      page.ipa + (va - base),
      wanted,
      el,
    );
    return {
      ...PAGE_OF_STAGE1,
      place,
      status,
      stage2,
      ipa,
      inWalk,
      allowed: second.allowed & allowed,
      guarded: page.guarded,
    };
  }
}

function fault(status: number): Translation {
  return { ...PAGE_OF_STAGE1, place: -1, allowed: 0, status, stage2: false, ipa: 0, inWalk: false };
}
