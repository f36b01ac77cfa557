import type { TmkEvent, VmBoot, HaltReason } from '../contract/index.ts';

/** What a plane did in a boot, for the record. */
export interface PlaneSummary {
  readonly plane: number;
  readonly exits: number;
  /** The last exits, in words. */
  readonly last: readonly string[];
}

/** One boot of a VM, for whoever asks. */
export interface VmBootSummary {
  /** Full name of the test that it ran, of a TMK. */
  readonly test: string | undefined;
  /** How it ended; `undefined` while it runs. */
  readonly halt: HaltReason | undefined;
}

export interface BootRunHooks {
  /** What the backend's reason means, given what was asked of it. */
  readonly interpret: (halt: HaltReason) => HaltReason;
  /** Called once, before `halted` resolves; gives what is known of the planes then. */
  readonly onHalt: (halt: HaltReason) => readonly PlaneSummary[];
}

/** One boot of a VM and its end. */
export class BootRun {
  readonly testIndex: number;
  /** Never rejects. */
  readonly halted: Promise<HaltReason>;
  readonly #boot: VmBoot;
  readonly #started = performance.now();
  #halt: HaltReason | undefined;
  #milliseconds: number | undefined;
  #planes: readonly PlaneSummary[] = [];
  #force: (halt: HaltReason) => void = () => undefined;

  constructor(testIndex: number, boot: VmBoot, { interpret, onHalt }: BootRunHooks) {
    this.testIndex = testIndex;
    this.#boot = boot;
    const forced = new Promise<HaltReason>((resolve) => {
      this.#force = resolve;
    });
    const told = boot.halted.catch((error: unknown): HaltReason => ({
      reason: 'backend-lost',
      message: String(error),
    }));
    this.halted = Promise.race([told, forced]).then((reason) => {
      const halt = interpret(reason);
      this.#halt = halt;
      this.#milliseconds = performance.now() - this.#started;
      this.#planes = onHalt(halt);
      return halt;
    });
  }

  /** `undefined` while it runs. */
  get halt(): HaltReason | undefined {
    return this.#halt;
  }

  get events(): readonly TmkEvent[] {
    return this.#boot.tmkEvents;
  }

  get instructions(): number | undefined {
    return this.#boot.instructions?.();
  }

  /** Ends the boot on our side, for a backend that does not report that it ended. */
  force(halt: HaltReason): void {
    this.#force(halt);
  }

  /** For `vm.json`. */
  record(tests: readonly { readonly name: string }[]): object {
    return {
      test: tests[this.testIndex]?.name,
      halt: this.#halt,
      milliseconds: this.#milliseconds === undefined ? undefined : Math.round(this.#milliseconds * 10) / 10,
      instructions: this.instructions,
      events: this.events.length,
      planes: this.#planes,
    };
  }
}
