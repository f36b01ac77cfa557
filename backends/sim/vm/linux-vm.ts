import {
  describeHalt,
  type ExecOptions,
  type ExecResult,
  type LaunchContext,
  type LinuxPayload,
  type VmSpec,
} from '../../../petri/contract/index.ts';
import { afterReset, kernelPanic, LastWords } from '../../../petri/kit/linux/index.ts';
import { debuggingOf } from '../debug/index.ts';
import { type BoardGuest, linuxKind } from '../guests/index.ts';
import { boardBudget, BoardVm, type BoardVmOptions, type BootExtras } from './board-vm.ts';
import { bootLinux } from './booted/boot-linux.ts';
import type { BootedState } from './booted/booted-state.ts';
import { bootedStates } from './booted/booted-states.ts';
import { stateKey } from './booted/state-key.ts';
import { GuestAgent, READY } from './guest-agent.ts';

type MakeBoard = BoardVmOptions['make'];

/** Linux on a simulated board, with an agent in the guest. */
export class LinuxVm extends BoardVm {
  readonly #spec: VmSpec<LinuxPayload>;
  readonly #launch: LaunchContext;
  readonly #make: MakeBoard;
  #agent: GuestAgent | undefined;

  private constructor(spec: VmSpec<LinuxPayload>, options: BoardVmOptions) {
    super(options);
    this.#spec = spec;
    this.#launch = options.context;
    this.#make = options.make;
  }

  /** @throws PetriError `image-invalid`, `payload-too-large` */
  static async launch(spec: VmSpec<LinuxPayload>, context: LaunchContext): Promise<LinuxVm> {
    const { payload, config } = spec;
    const boards = await linuxKind.load();
    let prepared: MakeBoard | undefined;
    const prepare = (): MakeBoard => (prepared ??= boards.prepare(payload, config, READY));
    // Reading and unpacking a kernel takes longer than going on from a state.
    if (payload.snapshot === undefined) prepare();
    return new LinuxVm(spec, {
      config,
      context,
      debugging: debuggingOf(undefined, (message) => context.log(message)),
      make: (listener) => prepare()(listener),
      resume: (state, listener) => boards.resume(payload, config, state, listener),
    });
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    this.booted();
    if (this.#agent === undefined) throw new Error('a booted Linux has an agent');
    return await this.#agent.client.exec(command, options);
  }

  /** Asks the agent to power off. */
  override async stop(signal: AbortSignal): Promise<void> {
    const boot = this.booted();
    if (boot.loop.ended) return;
    this.#agent?.client.powerOff();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([boot.halted, aborted]);
  }

  /** A guest that does not come to its agent leaves no state, and then boots for all to see why. */
  protected override async beginning(): Promise<BootedState | undefined> {
    const { payload, config } = this.#spec;
    if (payload.snapshot === undefined) return undefined;
    const context = this.#launch;
    const boot = (): Promise<BootedState | undefined> => bootLinux(this.#make, boardBudget(config), context);
    return await bootedStates.get(stateKey(payload, config), boot, (message) => context.log(message));
  }

  protected override extras(guest: BoardGuest, from: unknown): BootExtras {
    const agent = new GuestAgent(
      () => guest,
      (ms, callback) => this.#timer(ms, callback),
      from,
    );
    const words = new LastWords();
    this.#agent = agent;
    return {
      save: () => agent.save(),
      leave: () => agent.client.end('the VM begins anew'),
      agent: (bytes) => agent.push(bytes),
      printed: (bytes, { loop }) => {
        words.push(bytes);
        // With `panic=0` the kernel does not reboot, and would be silent until its budget is used up.
        const { panic } = words;
        if (panic !== undefined) loop.end(kernelPanic(panic));
      },
      // Linux that panics with `panic=-1` asks for a reset.
      explain: (halt) => {
        const reason = halt.reason === 'reset' ? afterReset(words.text) : halt;
        agent.client.end(`the VM halted: ${describeHalt(reason)}`);
        return reason;
      },
    };
  }

  #timer(milliseconds: number, callback: () => void): () => void {
    const timer = this.guestTimer(milliseconds, callback);
    return () => timer.cancel();
  }
}
