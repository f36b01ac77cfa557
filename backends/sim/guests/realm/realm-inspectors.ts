import { PetriError } from '../../../../petri/errors.ts';
import {
  type PlaneExit,
  type PlaneInspector,
  type RealmConfig,
  type RealmInspector,
  type Registers,
  type Ripas,
  checkVcpu,
} from '../../../../petri/contract/index.ts';
import type { ExitLog } from '../../paravisor/index.ts';
import { type RealmView, Ripas as RipasValue, SysregEncoding } from '../../rmm/index.ts';
import { readRegisters } from '../read-registers.ts';

const FIRST_REC = 0;
/** Number of RECs that run. */
const RECS = 1;

const unused: Registers = { x: Array<bigint>(31).fill(0n), sp: 0n, pc: 0n, pstate: 0n };

/** An auxiliary plane on the first REC of a realm. */
export class RealmPlane implements PlaneInspector {
  readonly index: number;
  readonly #exits: () => ExitLog | undefined;
  #view: RealmView | undefined;
  /** Values to report after `freeze`. */
  #registers: Registers | undefined;

  constructor(index: number, view: RealmView, exits: () => ExitLog | undefined) {
    this.index = index;
    this.#view = view;
    this.#exits = exits;
  }

  registers(vcpu = FIRST_REC): Registers {
    checkVcpu(vcpu, RECS);
    if (this.#registers !== undefined) return this.#registers;
    const context = this.#live.context(vcpu, this.index);
    return context === undefined ? unused : readRegisters(context);
  }

  sysreg(name: string): bigint {
    const encodings: Readonly<Record<string, number>> = SysregEncoding;
    const encoding = Object.hasOwn(encodings, name) ? encodings[name] : undefined;
    if (encoding === undefined) {
      throw new PetriError(`a plane has no readable system register '${name}'`, {
        code: 'unsupported',
        step: 'run',
        remedy: `name one of ${Object.keys(encodings).join(', ')}`,
      });
    }
    return this.#live.sysreg(FIRST_REC, this.index, encoding) ?? 0n;
  }

  get exits(): readonly PlaneExit[] {
    return this.#exits()?.decode() ?? [];
  }

  get exitCount(): number {
    return this.#exits()?.count ?? 0;
  }

  permissions(ipa: bigint): string {
    return ipa < 0n || ipa > Number.MAX_SAFE_INTEGER ? '' : this.#live.permissions(this.index, Number(ipa));
  }

  /** Saves what must be available after the machine is given back. */
  freeze(): void {
    this.#registers = this.registers();
    this.#view = undefined;
  }

  get #live(): RealmView {
    if (this.#view !== undefined) return this.#view;
    throw gone(`plane ${this.index}`);
  }
}

const ripasNames: Readonly<Record<number, Ripas>> = {
  [RipasValue.Empty]: 'empty',
  [RipasValue.Ram]: 'ram',
  [RipasValue.Destroyed]: 'destroyed',
  [RipasValue.Dev]: 'dev',
};

/** The realm while it has its machine; what cannot change stays readable afterwards. */
export class InspectedRealm implements RealmInspector {
  readonly config: RealmConfig;
  #view: RealmView | undefined;
  #measurements: ReturnType<RealmView['measurements']> | undefined;

  constructor(view: RealmView) {
    this.#view = view;
    this.config = {
      ipaWidth: view.ipaWidth,
      hashAlgorithm: view.hashAlgorithm,
      numAuxPlanes: view.numAuxPlanes,
      rpv: view.rpv,
    };
  }

  measurements(): ReturnType<RealmView['measurements']> {
    return this.#measurements ?? this.#live.measurements();
  }

  ripas(ipa: bigint): Ripas {
    const value = ipa > Number.MAX_SAFE_INTEGER ? undefined : this.#live.ripas(Number(ipa));
    const name = value === undefined ? undefined : ripasNames[value];
    if (name !== undefined) return name;
    throw new PetriError(`IPA 0x${ipa.toString(16)} is outside of the protected half of the realm's IPA space`, {
      code: 'invalid-option',
      step: 'run',
      remedy: `give an IPA below 0x${(1n << BigInt(this.config.ipaWidth - 1)).toString(16)}`,
    });
  }

  /** Saves what must be available after the machine is given back: its memory then belongs to another VM. */
  freeze(): void {
    this.#measurements = this.measurements();
    this.#view = undefined;
  }

  get #live(): RealmView {
    if (this.#view !== undefined) return this.#view;
    throw gone('the realm');
  }
}

function gone(what: string): PetriError {
  return new PetriError(`${what} can no longer be inspected: the VM has ended`, {
    code: 'vm-closed',
    step: 'run',
    remedy: 'inspect it before the end of the test and before kill()',
  });
}
