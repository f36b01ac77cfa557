import type {
  BootRequest,
  GuestTimer,
  HaltReason,
  LaunchContext,
  VmBoot,
  VmRuntime,
  PlaneInspector,
  RealmInspector,
  Registers,
} from '../../../petri/contract/index.ts';
import type { TmkListener } from '../../../petri/tmk/index.ts';
import { DebuggedGuest, type Debugging, DebugStub, type Observation } from '../debug/index.ts';
import type { Guest } from '../guests/index.ts';
import { GuestTimers } from './guest-timers.ts';
import { RunLoop } from './run-loop.ts';

interface SimVmOptions {
  /** Makes a machine in its reset state, with the payload loaded. @throws PetriError */
  readonly makeGuest: (listener: TmkListener) => Guest;
  readonly listener: TmkListener;
  /** Asks for a debugger's stub. */
  readonly debugging?: Debugging | undefined;
  /** What is written of its guests. */
  readonly observation?: Observation | undefined;
  readonly maxInstructions: number;
  readonly context: Pick<LaunchContext, 'onEnd'>;
}

/** One VM of the simulated machine. Each boot has a machine of its own: no state of one boot reaches the next. */
export class SimVm implements VmRuntime {
  readonly #options: SimVmOptions;
  readonly #timers = new GuestTimers(() => this.#guest.work);
  #guest: Guest;
  #loop: RunLoop | undefined;
  #stub: DebugStub | undefined;
  #killed = false;

  /** @throws PetriError as `makeGuest` does */
  constructor(options: SimVmOptions) {
    this.#options = options;
    this.#guest = this.#makeGuest();
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
      this.#end({ reason: 'stopped' });
      this.#guest.release();
      this.#guest = this.#makeGuest();
      this.#timers.restart();
    }
    const guest = this.#guest;
    const { debugging, maxInstructions } = this.#options;
    guest.boot(testIndex);
    this.#options.observation?.boot();
    const loop = new RunLoop({ guest, maxInstructions, timers: this.#timers });
    this.#loop = loop;
    if (guest instanceof DebuggedGuest && debugging !== undefined) {
      this.#stub = await DebugStub.open(debugging, guest, loop);
    }
    loop.start();
    return {
      halted: loop.halted,
      // A debugger may have another life of the guest run.
      get tmkEvents() {
        return guest.events;
      },
      instructions: () => guest.retired,
    };
  }

  #makeGuest(): Guest {
    const { debugging, listener, observation } = this.#options;
    const makeGuest = (heard: TmkListener): Guest => {
      const guest = this.#options.makeGuest(heard);
      observation?.observe(guest);
      return guest;
    };
    return debugging === undefined ? makeGuest(listener) : new DebuggedGuest(makeGuest, listener);
  }

  #end(halt: HaltReason): void {
    this.#loop?.end(halt);
    this.#stub?.close(halt);
  }

  guestTimer(milliseconds: number, callback: () => void): GuestTimer {
    return this.#timers.start(milliseconds, callback);
  }

  /** A TMK cannot be asked to shut down, so this ends the VM. */
  async stop(): Promise<void> {
    this.#end({ reason: 'stopped' });
  }

  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    this.#end({ reason: 'stopped' });
    this.#guest.release();
    this.#options.observation?.close();
  }
}
