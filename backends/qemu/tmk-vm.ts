import {
  type BootRequest,
  type EndReason,
  type LaunchContext,
  type VmBoot,
  type VmRuntime,
  type Registers,
  type VmSpec,
  checkVcpu,
  type TmkPayload,
} from '../../petri/contract/index.ts';
import { PetriError } from '../../petri/errors.ts';
import { VmLife } from '../../petri/kit/boot/index.ts';
import { bootRequests, GuestRun } from '../../petri/kit/monitor/index.ts';
import { PLAIN_RAM_BASE, type TmkListener, TmkMonitor } from '../../petri/tmk/index.ts';
import { stopAndLook } from '../../petri/kit/qemu/index.ts';
import { budget } from './budgets.ts';
import { openDebugger, type DebuggerRequest } from './debugger.ts';
import type { MachinePool } from './machine-pool.ts';
import { MonitorMachine, type MonitorMachineOptions } from './monitor-machine.ts';

export interface TmkVmOptions {
  readonly spec: VmSpec<TmkPayload>;
  readonly context: LaunchContext;
  readonly machine: Omit<MonitorMachineOptions, 'memory' | 'signal'>;
  readonly pool: MachinePool;
  readonly facts: Readonly<Record<string, string>>;
  readonly debugger?: DebuggerRequest;
}

/** A TMK in an ordinary VM: QEMU, with the monitor at EL2 between the TMK and the machine. */
export class TmkVm implements VmRuntime {
  readonly planes = [];
  readonly facts: Readonly<Record<string, string>>;
  readonly #options: TmkVmOptions;
  readonly #listener: TmkListener;
  #machine: MonitorMachine | undefined;
  #run: GuestRun | undefined;
  readonly #life = new VmLife(() => this.#giveUp());

  /** @throws PetriError `payload-too-large`, and what starting QEMU throws */
  static async launch(options: TmkVmOptions): Promise<TmkVm> {
    const { spec, context } = options;
    // Reports errors before anything is started.
    for (const _request of bootRequests(spec.payload, ramOf(spec), 0)) break;
    const vm = new TmkVm(options);
    await vm.#acquire();
    context.onEnd((why) => void vm.#end(why));
    return vm;
  }

  private constructor(options: TmkVmOptions) {
    const { context } = options;
    this.#options = options;
    this.facts = options.facts;
    const serial = context.openConsole('serial');
    this.#listener = { print: (bytes) => serial.push(bytes), log: (message) => context.log(message) };
  }

  /** @throws PetriError `unsupported` while the guest runs */
  readonly registers = (vcpu = 0): Registers => {
    checkVcpu(vcpu, 1);
    const registers = this.#run?.registers;
    if (registers !== undefined && this.#run?.over === true) return registers;
    throw new PetriError('the registers of a guest in QEMU can be read when it has halted', {
      code: 'unsupported',
      step: 'run',
      remedy: 'await vm.halted or vm.stop() before vm.registers()',
    });
  };

  start({ testIndex }: BootRequest): Promise<VmBoot> {
    return this.#life.start(() => this.#start(testIndex));
  }

  async #start(testIndex: number): Promise<VmBoot> {
    const { spec } = this.#options;
    this.#run?.end({ reason: 'stopped' });
    const machine = await this.#freshMachine();
    this.#life.mustLive();
    const run = new GuestRun(machine, new TmkMonitor(spec.payload.image, PLAIN_RAM_BASE, this.#listener));
    this.#run = run;
    await this.#attachDebugger(machine);
    machine.run(bootRequests(spec.payload, ramOf(spec), testIndex), run);
    return { halted: run.halted, tmkEvents: run.events };
  }

  /** A TMK cannot be asked to shut down, so this ends it; its registers can be read afterwards. */
  async stop(signal: AbortSignal): Promise<void> {
    const run = this.#run;
    const machine = this.#machine;
    if (run === undefined || run.over || machine === undefined) return;
    const look = stopAndLook(machine.qemu.qmp, performance.now() + budget('locate'));
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const state = await Promise.race([look.catch(() => undefined), aborted]);
    if (state !== undefined) run.remember(state);
    run.end({ reason: 'stopped' });
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }

  async #giveUp(): Promise<void> {
    this.#run?.end({ reason: 'stopped' });
    await this.#giveBack();
  }

  async #end(why: EndReason): Promise<void> {
    const run = this.#run;
    if (run === undefined || run.over) return;
    if (why.reason !== 'timeout' || this.#machine === undefined) {
      run.end(why);
      return;
    }
    const limit = budget('locate');
    const look = stopAndLook(this.#machine.qemu.qmp, performance.now() + limit / 2);
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), limit).unref());
    run.endAt('timeout', why.message, await Promise.race([look.catch(() => undefined), late]));
  }

  async #acquire(): Promise<MonitorMachine> {
    const { spec, machine, pool, context, debugger: debugging } = this.#options;
    const options = { ...machine, memory: spec.config.memory, signal: context.signal };
    const own = spec.machine === 'fresh' || debugging !== undefined;
    const acquired = own ? await MonitorMachine.start(options) : await pool.acquire(options);
    this.#machine = acquired;
    context.log(`QEMU is process ${acquired.qemu.pid}`);
    return acquired;
  }

  /** The machine from `launch`, or one that is as good as new. */
  async #freshMachine(): Promise<MonitorMachine> {
    const machine = this.#machine;
    if (machine === undefined) return await this.#acquire();
    if (this.#run === undefined && machine.reusable) return machine;
    if (this.#options.spec.machine !== 'fresh' && machine.reusable) {
      await machine.reset();
      return machine;
    }
    await this.#giveBack();
    return await this.#acquire();
  }

  async #giveBack(): Promise<void> {
    const machine = this.#machine;
    if (machine === undefined) return;
    this.#machine = undefined;
    const { pool, spec, debugger: debugging } = this.#options;
    if (spec.machine === 'fresh' || debugging !== undefined || !machine.reusable) await pool.discard(machine);
    else pool.release(machine);
  }

  async #attachDebugger(machine: MonitorMachine): Promise<void> {
    const { debugger: debugging, context, spec } = this.#options;
    if (debugging === undefined) return;
    context.log(await openDebugger(machine.qemu.qmp, debugging, spec.payload.path));
  }
}

function ramOf({ config }: VmSpec): { readonly ramBase: number; readonly ramBytes: number } {
  return { ramBase: PLAIN_RAM_BASE, ramBytes: config.memory };
}
