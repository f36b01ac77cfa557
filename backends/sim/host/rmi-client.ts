import { PetriError, type PetriStep } from '../../../petri/errors.ts';
import { describeRmiResult, Rmi, type RmiCommand, RmiStatus, type Rmm } from '../rmm/index.ts';

/** X0 to X17. */
const REGISTERS = 18;

/** The host's side of RMI: makes SMCs by command name. */
export class RmiClient {
  /** The host's current step, for error messages. */
  step: PetriStep = 'launch';
  readonly #rmm: Rmm;
  readonly #x = new BigUint64Array(REGISTERS);

  constructor(rmm: Rmm) {
    this.#rmm = rmm;
  }

  /** Makes one call. @returns X0; the other results are in `result` until the next call */
  call(command: RmiCommand, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0): number {
    const x = this.#x;
    x[0] = BigInt(Rmi[command]);
    x[1] = BigInt(a1);
    x[2] = BigInt(a2);
    x[3] = BigInt(a3);
    x[4] = BigInt(a4);
    x[5] = BigInt(a5);
    for (let n = 6; n < REGISTERS; n++) x[n] = 0n;
    this.#rmm.rmi(x);
    return Number(BigInt.asIntN(64, x[0]));
  }

  /** Makes one call that must succeed. @throws PetriError `rmi-failed` */
  must(command: RmiCommand, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0): void {
    const status = this.call(command, a1, a2, a3, a4, a5);
    if (status !== RmiStatus.Success) throw this.failure(command, status, [a1, a2, a3, a4, a5]);
  }

  /** X1 to X4 of the last call. */
  result(n: 1 | 2 | 3 | 4): number {
    return Number(this.#x[n]);
  }

  failure(command: RmiCommand, status: number, args: readonly number[]): PetriError {
    const given = args.map((value) => `0x${value.toString(16)}`).join(', ');
    return new PetriError(`RMI_${command}(${given}) gave ${describeRmiResult(status)}`, {
      code: 'rmi-failed',
      step: this.step,
      remedy: 'check the VM configuration; if it is right, this is a defect of the simulated host or RMM',
    });
  }
}

/** Status and index of X0. */
export function rmiStatus(result: number): { status: number; index: number } {
  return { status: result & 0xff, index: (result >>> 8) & 0xff };
}
