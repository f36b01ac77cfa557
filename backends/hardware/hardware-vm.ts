import type { BootRequest, LaunchContext, VmBoot, VmRuntime } from '../../petri/backend.ts';
import { PetriError } from '../../petri/errors.ts';
import type { SerialConsole } from '../../petri/serial/index.ts';
import type { HaltReason } from '../../petri/vm/halt.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { openConsoles, type OpenConsoles } from './console/open-consoles.ts';
import type { Guest } from './guests/guest.ts';
import type { LauncherConfig } from './hosts/schema.ts';
import { makeProgram } from './launchers/index.ts';
import type { MachineUse } from './machine.ts';
import { RemoteLaunch, type LaunchEnd } from './remote/launch.ts';

interface Boot {
  readonly guest: Guest;
  readonly launch: RemoteLaunch;
  end(halt: HaltReason): void;
  readonly halted: Promise<HaltReason>;
}

/** Milliseconds that a launcher is given when the test asks it to end. */
const STOP_GRACE_SECONDS = 3;

/** A VM on a machine of the lab: one launcher on the host for each boot. */
export class HardwareVm implements VmRuntime {
  readonly planes = [];
  readonly facts: Readonly<Record<string, string>>;
  readonly #spec: VmSpec;
  readonly #context: LaunchContext;
  readonly #use: MachineUse;
  readonly #launcher: LauncherConfig;
  readonly #serial: SerialConsole;
  readonly #launcherConsole: SerialConsole | undefined;
  #consoles: OpenConsoles | undefined;
  #boot: Boot | undefined;
  #dead: HaltReason | undefined;
  #killing: Promise<void> | undefined;
  readonly #onAbort = (): void => {
    this.#abort();
  };

  /** @throws PetriError what the consoles throw */
  static async launch(
    spec: VmSpec,
    context: LaunchContext,
    use: MachineUse,
    launcher: LauncherConfig,
  ): Promise<HardwareVm> {
    const vm = new HardwareVm(spec, context, use, launcher);
    vm.#consoles = await openConsoles(use.machine.config.consoles, context);
    context.signal.addEventListener('abort', vm.#onAbort, { once: true });
    void use.lease.lost.then((why) => {
      vm.#lose(why);
    });
    return vm;
  }

  private constructor(spec: VmSpec, context: LaunchContext, use: MachineUse, launcher: LauncherConfig) {
    this.#spec = spec;
    this.#context = context;
    this.#use = use;
    this.#launcher = launcher;
    this.facts = { host: use.machine.name, launcher: launcher.kind };
    const takesInput = launcher.kind === 'command' && launcher.output === 'exit-code';
    const type = (bytes: Uint8Array): void => {
      this.#boot?.launch.write(bytes);
    };
    this.#serial = takesInput ? context.openConsole('serial', type) : context.openConsole('serial');
    this.#launcherConsole = takesInput ? undefined : context.openConsole('launcher');
  }

  async start({ testIndex }: BootRequest): Promise<VmBoot> {
    if (this.#killing !== undefined || this.#dead !== undefined) {
      throw new PetriError(
        this.#dead?.reason === 'backend-lost' ? this.#dead.message : 'the VM was ended and cannot be started again',
        { code: 'vm-closed', step: 'boot', remedy: 'start it before the end of its test, or launch another' },
      );
    }
    await this.#endBoot({ reason: 'stopped' });
    const { machine, home, lease } = this.#use;
    const { signal } = this.#context;
    const program = await makeProgram(this.#launcher, {
      spec: this.#spec,
      testIndex,
      home,
      serial: (bytes) => {
        this.#serial.push(bytes);
      },
      launcher: this.#launcherConsole,
      log: (message) => {
        this.#context.log(message);
      },
      signal,
    });
    const { guest, argv, env, terminal, input } = program;
    const launch = await RemoteLaunch.start(machine.host, home, {
      argv,
      ...(env === undefined ? {} : { env }),
      ...(terminal === undefined ? {} : { terminal }),
      ...(input === undefined ? {} : { input }),
      ...(guest.files === undefined ? {} : { files: guest.files }),
      lease: lease.file,
      grace: STOP_GRACE_SECONDS,
      output: (bytes) => {
        guest.output(bytes);
      },
      log: (message) => {
        this.#context.log(message);
      },
    });
    const boot = this.#watch(guest, launch);
    this.#boot = boot;
    if (signal.aborted) this.#abort();
    guest.attach?.((bytes) => {
      launch.write(bytes);
    });
    if (guest.started !== undefined) {
      // A guest that was ended before it began has begun: its halt tells.
      await Promise.race([guest.started, boot.halted]);
    }
    return {
      halted: boot.halted,
      get tmkEvents() {
        return guest.events;
      },
    };
  }

  #watch(guest: Guest, launch: RemoteLaunch): Boot {
    let end: (halt: HaltReason) => void = () => undefined;
    const halted = new Promise<HaltReason>((resolve) => (end = resolve));
    void guest.halted?.then(end);
    void launch.ended.then((how) => {
      end(this.#haltOf(how, guest));
    });
    // What the guest was run by has nothing more to do.
    void halted.then(async (halt) => {
      if (halt.reason === 'stopped') return;
      await launch.remove();
    });
    return { guest, launch, end, halted };
  }

  #haltOf(end: LaunchEnd, guest: Guest): HaltReason {
    const { name, config } = this.#use.machine;
    switch (end.kind) {
      case 'exited':
        return guest.launcherEnded(end.code);
      case 'stopped':
        return { reason: 'stopped' };
      case 'output-limit':
        return lost(
          `the launcher printed more than ${String(config.outputLimit)} MiB (outputLimit of ${name}) and was ended`,
        );
      case 'disk-full':
        return lost(`the disk of ${name} is full: what the launcher printed could not be kept, and it was ended`);
      case 'expired':
        return lost(
          `the launcher was ended by ${name}, which had not heard of this run for ${String(config.heartbeat)} s`,
        );
      case 'lease-lost':
        return lost(`the lease of ${name} was taken away, and the launcher was ended with it`);
      case 'lost':
        return lost(end.message);
    }
  }

  /** SIGTERM to the launcher, and SIGKILL after its grace. */
  async stop(signal: AbortSignal): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined) return;
    boot.launch.stop();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      if (signal.aborted) resolve();
    });
    await Promise.race([boot.halted, aborted]);
    await this.#endBoot({ reason: 'stopped' });
  }

  kill(): Promise<void> {
    this.#killing ??= this.#kill();
    return this.#killing;
  }

  async #kill(): Promise<void> {
    this.#context.signal.removeEventListener('abort', this.#onAbort);
    await this.#endBoot({ reason: 'stopped' });
    await this.#consoles?.end();
    await this.#use.release();
  }

  async #endBoot(halt: HaltReason): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined) return;
    boot.end(halt);
    await boot.launch.remove();
  }

  #abort(): void {
    const why: unknown = this.#context.signal.reason;
    const isDeadline = why instanceof Error && why.name === 'TimeoutError';
    this.#boot?.end(isDeadline ? { reason: 'timeout', message: why.message } : { reason: 'stopped' });
  }

  /** The board is somebody else's now: nothing of it may be shown any more. */
  #lose(why: string): void {
    if (this.#killing !== undefined) return;
    const halt = lost(why);
    this.#dead = halt;
    this.#boot?.end(halt);
    void this.#consoles?.end();
  }
}

function lost(message: string): HaltReason & { readonly reason: 'backend-lost' } {
  return { reason: 'backend-lost', message };
}
