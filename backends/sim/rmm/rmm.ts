import type { Cpu } from '../cpu/index.ts';
import type { PhysicalMemory } from '../machine/index.ts';
import type { RmmModel } from './abi/model.ts';
import type { Plane0Program } from './abi/plane0.ts';
import { RegisterFile } from './abi/register-file.ts';
import { RealmView } from './inspect.ts';
import { RmmState } from './rec/rmm-state.ts';
import type { RmiCall } from './rmi/rmi-call.ts';
import { serveRmi } from './rmi/rmi.ts';

/** The parts of an RMM. */
export interface RmmOptions {
  readonly memory: PhysicalMemory;
  readonly cpu: Cpu;
  /** @default 'specification' */
  readonly model?: RmmModel;
}

/**
 * A Realm Management Monitor: RMI and RSI 1.1 of the RMM specification (DEN0137), on simulated memory and processors.
 * Guest and host are untrusted: no argument makes it throw or access memory outside of DRAM.
 *
 * Realms have one RTT tree for all planes, with indirect stage 2 permissions. Not modelled, and reported as absent by
 * RMI_FEATURES: LPA2, SVE, PMU, device assignment, memory encryption contexts and attestation tokens.
 */
export class Rmm {
  protected readonly state: RmmState;
  #x: BigUint64Array | undefined;
  #call: RmiCall | undefined;

  constructor({ memory, cpu, model = 'specification' }: RmmOptions) {
    this.state = new RmmState(memory, cpu, model);
  }

  /** One SMC of the host. @param x X0 to X17: function identifier and arguments, replaced by the results */
  rmi(x: BigUint64Array): void {
    if (this.#call === undefined || this.#x !== x) {
      this.#x = x;
      this.#call = { state: this.state, out: RegisterFile.over(x) };
    }
    serveRmi(this.#call);
  }

  /**
   * Makes plane 0 of a realm a program instead of guest code, which no real RMM can do: this is how the simulation runs
   * a paravisor. Call it before a REC of the realm is first entered.
   *
   * @throws RangeError if there is no such realm
   */
  setPlane0(rd: number, program: Plane0Program): void {
    const realm = this.state.realm(rd);
    if (realm === undefined) throw new RangeError(`no realm at 0x${rd.toString(16)}`);
    realm.plane0 = program;
  }

  /**
   * Sets the host's timer: from now on each REC_ENTER ends with an IRQ after this many guest instructions; one that is
   * in progress ends after at most this many more.
   */
  interruptAfter(instructions: number): void {
    this.state.slice = instructions;
    this.state.budget = Math.min(this.state.budget, instructions);
  }

  /** The realm as a debugger sees it; undefined if there is none. */
  inspect(rd: number): RealmView | undefined {
    const realm = this.state.realm(rd);
    return realm && new RealmView(realm, this.state.recsOf(realm));
  }
}
