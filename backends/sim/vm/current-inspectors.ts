import { PetriError } from '../../../petri/errors.ts';
import type {
  PlaneExit,
  PlaneInspector,
  RealmConfig,
  RealmInspector,
  Registers,
  Ripas,
} from '../../../petri/contract/inspect.ts';
import type { Guest } from '../guests/index.ts';

/** A plane of whichever machine the VM has now: a test keeps the inspector over a reset. */
export class CurrentPlane implements PlaneInspector {
  readonly index: number;
  readonly #guest: () => Guest;

  constructor(index: number, guest: () => Guest) {
    this.index = index;
    this.#guest = guest;
  }

  registers(vcpu?: number): Registers {
    return this.#plane.registers(vcpu);
  }

  sysreg(name: string): bigint {
    return this.#plane.sysreg(name);
  }

  get exits(): readonly PlaneExit[] {
    return this.#plane.exits;
  }

  get exitCount(): number {
    return this.#plane.exitCount;
  }

  permissions(ipa: bigint): string {
    return this.#plane.permissions(ipa);
  }

  get #plane(): PlaneInspector {
    const plane = this.#guest().planes[this.index];
    if (plane === undefined) throw absent(`plane ${this.index}`);
    return plane;
  }
}

/** The realm of whichever machine the VM has now. */
export class CurrentRealm implements RealmInspector {
  readonly #guest: () => Guest;

  constructor(guest: () => Guest) {
    this.#guest = guest;
  }

  get config(): RealmConfig {
    return this.#realm.config;
  }

  measurements(): { readonly rim: Uint8Array; readonly rem: readonly Uint8Array[] } {
    return this.#realm.measurements();
  }

  ripas(ipa: bigint): Ripas {
    return this.#realm.ripas(ipa);
  }

  get #realm(): RealmInspector {
    const { realm } = this.#guest();
    if (realm === undefined) throw absent('realm');
    return realm;
  }
}

function absent(what: string): PetriError {
  return new PetriError(`the VM has no ${what}`, { code: 'unsupported', step: 'run' });
}
