import type { ExceptionLevel } from '../exception-level.ts';
import { Permission, type Stage2 } from '../types.ts';
import { inPage } from './virtual-address.ts';
import { Access, FaultStatus, type Regime, type Translation } from './regime.ts';

/** Higher addresses are outside of the regime: FEAT_LPA2 is not implemented. */
const ADDRESS_LIMIT = 2 ** 48;

/**
 * The EL1&0 regime with stage 1 off: a virtual address is the intermediate physical address, and all memory is
 * Device-nGnRnE, so every misaligned access faults (Arm ARM, D8.2.11 and B2.13.2). `translate` returns this object
 * itself, so that a TLB miss allocates nothing.
 */
export class FlatRegime implements Regime, Translation {
  place = -1;
  allowed = 0;
  status = 0;
  stage2 = false;
  ipa = 0;
  readonly #stage2: Stage2;

  constructor(stage2: Stage2) {
    this.#stage2 = stage2;
  }

  translate(va: number, access: number, el: ExceptionLevel): Translation {
    this.place = -1;
    this.allowed = 0;
    this.stage2 = false;
    this.ipa = 0;
    if (va < 0 || va >= ADDRESS_LIMIT) this.status = FaultStatus.AddressSize;
    else if ((access & Access.Misaligned) !== 0) this.status = FaultStatus.Alignment;
    else this.#translate(va, access, el);
    return this;
  }

  #translate(ipa: number, access: number, el: ExceptionLevel): void {
    const at = inPage(ipa);
    const { offset, permissions, level } = this.#stage2.translate(ipa - at);
    if (offset < 0) {
      this.#fault(FaultStatus.Translation + level, ipa);
      return;
    }
    this.allowed = allowedBy(permissions, el);
    if ((this.allowed & access) === access) this.place = offset + at;
    else this.#fault(FaultStatus.Permission + level, ipa);
  }

  #fault(status: number, ipa: number): void {
    this.status = status;
    this.stage2 = true;
    this.ipa = ipa;
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
