import type {
  BootRequest,
  GuestTimer,
  LaunchContext,
  VmBoot,
  VmRuntime,
  PlaneInspector,
  RealmInspector,
  Registers,
} from '../../../petri/contract/index.ts';
import type { Guest } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';

interface SimVmOptions {
  /** Makes a machine in its reset state, with the payload loaded. @throws PetriError */
  readonly makeGuest: () => Guest;
  readonly maxInstructions: number;
  readonly context: Pick<LaunchContext, 'onEnd'>;
}

/** One VM of the simulated machine. Each boot has a machine of its own: no state of one boot reaches the next. */
export class SimVm implements VmRuntime {
  readonly #options: SimVmOptions;
  readonly #timers = new GuestTimers(() => this.#guest.work);
  #guest: Guest;
  #loop: RunLoop | undefined;
  #killed = false;

  /** @throws PetriError as `makeGuest` does */
  constructor(options: SimVmOptions) {
    this.#options = options;
    this.#guest = options.makeGuest();
    options.context.onEnd((why) => {
      if (why.reason === 'timeout') this.#loop?.endAt('timeout', why.message);
      else this.#loop?.end(why);
    });
  }

  get realm(): RealmInspector | undefined {
    return this.#guest.realm;
  }

  get planes(): readonly (PlaneInspector | undefined)[] {
    return this.#guest.planes;
  }

  readonly registers = (vcpu?: number): Registers => this.#guest.registers(vcpu);

  async start({ testIndex }: BootRequest): Promise<VmBoot> {
    if (this.#loop !== undefined) {
      this.#loop.end({ reason: 'stopped' });
      this.#guest.release();
      this.#guest = this.#options.makeGuest();
      this.#timers.restart();
    }
    const guest = this.#guest;
    const { maxInstructions } = this.#options;
    guest.boot(testIndex);
    const loop = new RunLoop({ guest, maxInstructions, timers: this.#timers });
    this.#loop = loop;
    loop.start();
    return { halted: loop.halted, tmkEvents: guest.events, instructions: () => guest.retired };
  }

  guestTimer(milliseconds: number, callback: () => void): GuestTimer {
    return this.#timers.start(milliseconds, callback);
  }

  /** A TMK cannot be asked to shut down, so this ends the VM. */
  async stop(): Promise<void> {
    this.#loop?.end({ reason: 'stopped' });
  }

  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    this.#loop?.end({ reason: 'stopped' });
    this.#guest.release();
  }
}
