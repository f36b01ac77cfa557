import type { ExceptionLevel } from '../exception-level.ts';
import { Permission, type Stage2 } from '../types.ts';
import { inPage } from './virtual-address.ts';
import { Access, FaultStatus, type Translation } from './regime.ts';

const ALL = Access.Read | Access.Write | Access.Execute;

/** Translates intermediate physical addresses. */
export interface IpaTranslation {
  /** @param ipa below 2^48 @param access bits of `Access` @returns valid until the next call */
  translate(ipa: number, access: number, el: ExceptionLevel): Translation;
}

/**
 * Stage 2 of an access: from an intermediate physical address to a place in linear memory. `translate` returns this
 * object itself, so that a TLB miss allocates nothing.
 */
export class Stage2Access implements IpaTranslation, Translation {
  place = -1;
  allowed = 0;
  status = 0;
  stage2 = false;
  ipa = 0;
  readonly inWalk = false;
  readonly global = true;
  readonly device = false;
  readonly spanBits = 12;
  readonly #stage2: Stage2;

  constructor(stage2: Stage2) {
    this.#stage2 = stage2;
  }

  translate(ipa: number, access: number, el: ExceptionLevel): Translation {
    const wanted = access & ALL;
    const at = inPage(ipa);
    const { offset, permissions, level } = this.#stage2.translate(ipa - at);
    this.place = -1;
    this.ipa = ipa;
    this.stage2 = true;
    this.allowed = offset < 0 ? 0 : allowedBy(permissions, el);
    if (offset < 0) this.status = FaultStatus.Translation + level;
    else if ((this.allowed & wanted) !== wanted) this.status = FaultStatus.Permission + level;
    else {
      this.place = offset + at;
      this.stage2 = false;
    }
    return this;
  }
}

/** The bits of `Access` that bits of `Permission` grant at an Exception level. */
function allowedBy(permissions: number, el: ExceptionLevel): number {
  const execute = el === 0 ? Permission.XEl0 : Permission.XEl1;
  return (
    ((permissions & Permission.R) !== 0 ? Access.Read : 0) |
    ((permissions & Permission.W) !== 0 ? Access.Write : 0) |
    ((permissions & execute) !== 0 ? Access.Execute : 0)
  );
}
