import type {
  VmRuntime,
  PlaneExit,
  PlaneInspector,
  RealmConfig,
  RealmInspector,
  Registers,
  Ripas,
} from '../contract/index.ts';
import { PetriError } from '../errors.ts';

/** What of a runtime is looked into. A backend may replace it with each boot. */
type Inspected = Pick<VmRuntime, 'planes' | 'realm'>;

/** A plane of whatever machine the VM has now: a test may keep the inspector over a reset. */
export class LastingPlane implements PlaneInspector {
  readonly index: number;
  readonly #runtime: Inspected;

  constructor(index: number, runtime: Inspected) {
    this.index = index;
    this.#runtime = runtime;
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
    const plane = this.#runtime.planes[this.index];
    if (plane === undefined) throw absent(`plane ${this.index}`);
    return plane;
  }
}

/** The realm of whatever machine the VM has now. */
export class LastingRealm implements RealmInspector {
  readonly #runtime: Inspected;

  constructor(runtime: Inspected) {
    this.#runtime = runtime;
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
    const { realm } = this.#runtime;
    if (realm === undefined) throw absent('realm');
    return realm;
  }
}

function absent(what: string): PetriError {
  return new PetriError(`the VM has no ${what}`, { code: 'unsupported', step: 'run' });
}
