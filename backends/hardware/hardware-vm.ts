import {
  type BootRequest,
  type EndReason,
  type LaunchContext,
  type VmBoot,
  type VmRuntime,
  type HaltReason,
  type Registers,
  checkVcpu,
  type ExecOptions,
  type ExecResult,
} from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { vmClosed, VmLife } from '../../petri/kit/boot/index.ts';
import type { SerialConsole } from '../../petri/serial/index.ts';
import { consoleSources } from './console/labgrid-console.ts';
import { openConsoles, type OpenConsoles } from './console/open-consoles.ts';
import type { Guest } from './guests/guest.ts';
import type { VmPlan } from './launchers/plan.ts';
import type { MachineUse } from './machine.ts';
import { RemoteLaunch, type LaunchEnd } from './remote/launch.ts';

type Lost = Extract<HaltReason, Record<'reason', 'backend-lost'>>;

interface Boot {
  readonly guest: Guest;
  readonly launch: RemoteLaunch;
  end(halt: HaltReason): void;
  over: boolean;
  readonly halted: Promise<HaltReason>;
}

/** Grace period of a launcher when the test asks it to end. */
const STOP_GRACE_SECONDS = 3;

/** A VM on a machine of the lab: one launcher on the host for each boot. */
export class HardwareVm implements VmRuntime {
  readonly planes = [];
  readonly facts: Readonly<Record<string, string>>;
  readonly #context: LaunchContext;
  readonly #use: MachineUse;
  readonly #plan: VmPlan;
  readonly #serial: SerialConsole;
  readonly #launcherConsole: SerialConsole | undefined;
  #consoles: OpenConsoles | undefined;
  #boot: Boot | undefined;
  #dead: Lost | undefined;
  /** Why the VM was ended from outside, if it was. */
  #why: EndReason | undefined;
  readonly #life = new VmLife(() => this.#giveUp());
  /** Present if the guest has a shell. */
  readonly exec?: (command: string, options: ExecOptions) => Promise<ExecResult>;

  /** @throws PetriError what the consoles throw */
  static async launch(plan: VmPlan, context: LaunchContext, use: MachineUse): Promise<HardwareVm> {
    const vm = new HardwareVm(plan, context, use);
    vm.#consoles = await openConsoles(consoleSources(use.machine.config), context);
    context.onEnd((why) => {
      vm.#why = why;
      vm.#end(why);
    });
    void use.lease.lost.then((why) => {
      vm.#lose(why);
    });
    return vm;
  }

  private constructor(plan: VmPlan, context: LaunchContext, use: MachineUse) {
    this.#plan = plan;
    this.#context = context;
    this.#use = use;
    this.facts = { host: use.machine.name, launcher: plan.launcher };
    const type = (bytes: Uint8Array): void => {
      this.#boot?.launch.write(bytes);
    };
    this.#serial = plan.takesInput ? context.openConsole('serial', type) : context.openConsole('serial');
    this.#launcherConsole = plan.serialIsLauncher ? undefined : context.openConsole('launcher');
    if (plan.hasShell) this.exec = (command, options) => this.#exec(command, options);
  }

  /** @throws PetriError `unsupported` if they are not known */
  readonly registers = (vcpu = 0): Registers => {
    checkVcpu(vcpu, 1);
    const boot = this.#boot;
    const registers = boot?.over === true ? boot.guest.registers : undefined;
    if (registers !== undefined) return registers;
    throw new PetriError(
      'the registers of a guest on a machine of the lab can be read only after it faulted or was ended',
      {
        code: 'unsupported',
        step: 'run',
        remedy: 'await vm.halted or vm.stop() before vm.registers()',
      },
    );
  };

  async #exec(command: string, options: ExecOptions): Promise<ExecResult> {
    const guest = this.#boot?.guest;
    if (guest?.exec === undefined) throw new Error('the VM was not booted');
    return await guest.exec(command, options);
  }

  async start({ testIndex }: BootRequest): Promise<VmBoot> {
    if (this.#dead !== undefined) throw vmClosed(this.#dead.message);
    return await this.#life.start(() => this.#start(testIndex));
  }

  async #start(testIndex: number): Promise<VmBoot> {
    await this.#endBoot({ reason: 'stopped' });
    this.#life.mustLive();
    const { machine, home, lease } = this.#use;
    const { signal } = this.#context;
    const program = await this.#plan.program(testIndex, {
      home,
      serial: this.#serial,
      launcher: this.#launcherConsole,
      log: (message) => {
        this.#context.log(message);
      },
      signal,
      reconnect: machine.config.reconnect * 1000,
    });
    const { guest, argv, env, terminal, input } = program;
    const launch = await RemoteLaunch.start(machine.host, home, {
      argv,
      ...(env === undefined ? {} : { env }),
      ...(terminal === undefined ? {} : { terminal }),
      ...(input === undefined ? {} : { input }),
      ...(guest.files === undefined ? {} : { files: guest.files }),
      ...(guest.ports === undefined ? {} : { ports: guest.ports }),
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
    if (this.#why !== undefined) this.#end(this.#why);
    guest.attach?.((bytes, port) => {
      launch.write(bytes, port);
    });
    if (guest.started !== undefined) {
      // If the guest was ended before it started, its halt reports that.
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
    let resolve: (halt: HaltReason) => void = () => undefined;
    const halted = new Promise<HaltReason>((settle) => (resolve = settle));
    const boot: Boot = {
      guest,
      launch,
      halted,
      over: false,
      end: (halt) => {
        if (boot.over) return;
        boot.over = true;
        guest.over?.(halt);
        resolve(halt);
      },
    };
    void guest.halted?.then(boot.end);
    void launch.ended.then((how) => {
      if (!boot.over) boot.end(this.#haltOf(how, guest));
    });
    // The guest's connections are no longer needed.
    void halted.then(async (halt) => {
      if (halt.reason === 'stopped') return;
      await launch.remove();
    });
    return boot;
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
          `the launcher was ended by ${name}, which received no heartbeat of this run for ${String(config.heartbeat)} s`,
        );
      case 'lease-lost':
        return lost(`the lease of ${name} was taken away, and the launcher was ended with it`);
      case 'lost':
        return lost(end.message);
    }
  }

  /**
   * Asks the guest to power off, if it can; otherwise sends SIGTERM to the launcher, and SIGKILL after its grace
   * period.
   */
  async stop(signal: AbortSignal): Promise<void> {
    const boot = this.#boot;
    if (boot === undefined || boot.over) return;
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      if (signal.aborted) resolve();
    });
    if (boot.guest.powerOff !== undefined) boot.guest.powerOff();
    else {
      // Keeps the registers for later.
      await Promise.race([boot.guest.look?.(), aborted]);
      boot.launch.stop();
    }
    await Promise.race([boot.halted, aborted]);
    await this.#endBoot({ reason: 'stopped' });
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }

  async #giveUp(): Promise<void> {
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

  #end(why: EndReason): void {
    const boot = this.#boot;
    if (boot === undefined || boot.over) return;
    if (why.reason !== 'timeout') boot.end(why);
    else if (boot.guest.expire === undefined) boot.end({ reason: 'timeout', message: why.message });
    else void boot.guest.expire(why.message).then(boot.end);
  }

  /** The board belongs to another user now: nothing of it may be shown any more. */
  #lose(why: string): void {
    if (this.#life.over) return;
    const halt = lost(why);
    this.#dead = halt;
    this.#boot?.end(halt);
    void this.#consoles?.end();
  }
}

function lost(message: string): Lost {
  return { reason: 'backend-lost', message };
}
