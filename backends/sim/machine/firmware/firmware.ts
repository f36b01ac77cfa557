import type { Vcpu } from '../../cpu/index.ts';
import type { Stateful } from '../device.ts';
import { PowerControl, type PowerControlState, type PsciMachine, type SystemEvent } from './psci.ts';
import { archCall, isFast64, NOT_SUPPORTED, serviceOf, type SmcArguments, withoutHint } from './smccc.ts';
import { RandomNumbers } from './trng.ts';

/** State of a `Firmware`: plain data. */
export interface FirmwareState {
  readonly power: PowerControlState;
  readonly trng: bigint;
}

const LOW = 0xffff_ffffn;
const DEFAULT_SEED = 0x7065_7472_692d_766dn;

/**
 * What guests call by HVC or SMC: PSCI 1.1 (DEN0022), SMCCC 1.2 (DEN0028) and random numbers (DEN0098), on a machine of
 * any number of PEs.
 */
export class Firmware implements Stateful<FirmwareState> {
  readonly #power: PowerControl;
  readonly #trng: RandomNumbers;

  /** @param seed of the random numbers, 64 bits */
  constructor(machine: PsciMachine, seed = DEFAULT_SEED) {
    this.#power = new PowerControl(machine);
    this.#trng = new RandomNumbers(seed);
  }

  /** Whether a function is implemented. @param id W0 of a call */
  readonly has = (id: number): boolean => {
    const service = serviceOf(withoutHint(id));
    if (service === 'psci') return this.#power.has(id);
    if (service === 'trng') return this.#trng.has(id);
    return service === 'arch' && archCall(withoutHint(id), 0n, () => false) !== undefined;
  };

  /**
   * Serves the call in X0 to X3 of the active context, whose PC is already that of the next instruction. Functions that
   * are not implemented return NOT_SUPPORTED.
   *
   * @returns what the guest asked of the machine, if it did
   */
  call(vcpu: Vcpu): SystemEvent | undefined {
    const { active } = vcpu;
    const id = withoutHint(Number(active.x(0) & LOW));
    const argument = (n: number): bigint => (isFast64(id) ? active.x(n) : active.x(n) & LOW);
    const args: SmcArguments = [argument(1), argument(2), argument(3)];
    if (!this.has(id)) {
      active.setX(0, BigInt.asUintN(64, NOT_SUPPORTED));
      return undefined;
    }
    const service = serviceOf(id);
    if (service === 'trng') {
      this.#trng.call(id, args[0]).forEach((value, n) => {
        active.setX(n, BigInt.asUintN(64, value));
      });
      return undefined;
    }
    const result = service === 'psci' ? this.#power.call(vcpu, id, args) : archCall(id, args[0], this.has);
    if (typeof result !== 'bigint') return result;
    active.setX(0, BigInt.asUintN(64, result));
    return undefined;
  }

  save(): FirmwareState {
    return { power: this.#power.save(), trng: this.#trng.save() };
  }

  restore({ power, trng }: FirmwareState): void {
    this.#power.restore(power);
    this.#trng.restore(trng);
  }
}
