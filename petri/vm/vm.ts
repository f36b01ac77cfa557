import type {
  Feature,
  HaltReason,
  PlaneInspector,
  RealmInspector,
  Registers,
  IsolationType,
  TmkPayload,
  VmConfig,
  VmPayload,
  ImagePayload,
  LinuxPayload,
  ExecOptions,
  ExecResult,
} from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { bytesOrText, checkArgument, checkOptions, milliseconds, text, type Rule } from '../options/index.ts';
import { findTest, judge, type TmkResult } from '../tmk/index.ts';
import type { SerialConsole } from '../serial/index.ts';
import type { VmBootSummary } from './boot-run.ts';
import { testsOf } from './default-test.ts';
import { checkExec } from './exec.ts';
import { LastingPlane, LastingRealm } from './lasting-inspectors.ts';
import type { VmController } from './vm-controller.ts';
import type { VmSnapshot } from './vm-snapshot.ts';
import type { VmTmk } from './vm-tmk.ts';

const aSnapshot: Rule = {
  // By what it has: each loader of a process has a class of its own.
  accepts: (value) => typeof value === 'object' && value !== null && 'contentsFor' in value,
  expected: 'what snapshot() of a VM returned',
};

/** Milliseconds that `stop` leaves a guest to go by itself. */
const STOP_TIMEOUT = 5000;

/**
 * A VM as a test sees it, whatever it boots: `TmkVm` and `LinuxVm` have more. It is booted by its first use: `start`,
 * `halted`, `tmk.run`, `exec`, and every use of a console.
 */
export class Vm<P extends VmPayload = VmPayload> {
  /** Name of the backend that made it. */
  readonly backend: string;
  /** How it is isolated from its host. */
  readonly isolation: IsolationType;
  /** What it boots. */
  readonly payload: P;
  /** Its configuration, defaults filled in. */
  readonly config: VmConfig;
  /** What the backend can show of this VM. */
  readonly features: readonly Feature[];
  /** The VM's folder: its consoles, `petri.log`, `vm.json` and attachments. */
  readonly directory: string;
  /** All consoles by name. */
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  readonly #controller: VmController;
  readonly #planes: readonly (PlaneInspector | undefined)[];
  readonly #realm: RealmInspector | undefined;

  /** @internal VMs are made by `launchVm`. */
  constructor(controller: VmController, payload: P) {
    const { backend, spec, features, folder, consoles, runtime } = controller.parts;
    this.#controller = controller;
    this.backend = backend;
    this.isolation = spec.isolation;
    this.payload = payload;
    this.config = spec.config;
    this.features = features;
    this.directory = folder.path;
    this.consoles = consoles;
    this.#realm = runtime.realm === undefined ? undefined : new LastingRealm(runtime);
    this.#planes = runtime.planes.map((plane) => plane && new LastingPlane(plane.index, runtime));
  }

  /** The default console. @throws PetriError `unsupported` where the backend has none */
  get serial(): SerialConsole {
    const [first] = this.consoles.values();
    if (first === undefined) throw this.#controller.unsupported('a serial console');
    return first;
  }

  /**
   * Why the VM halted, once it has; boots it first. After `reset` it is about the newest boot. Rejects only when the VM
   * cannot be booted.
   */
  get halted(): Promise<HaltReason> {
    return this.#controller.untilHalted();
  }

  /** How the newest boot ended; `undefined` before that. Does not boot. */
  get haltReason(): HaltReason | undefined {
    return this.#controller.newest?.halt;
  }

  /** Every boot so far, oldest first. Does not boot. */
  get boots(): readonly VmBootSummary[] {
    const tests = testsOf(this.payload);
    return this.#controller.boots.map(({ testIndex, halt }) => ({ test: tests[testIndex]?.name, halt }));
  }

  /** Instructions retired by the newest boot, where the backend counts them. */
  get instructions(): number | undefined {
    return this.#controller.newest?.instructions;
  }

  /** By plane number. Needs the feature `planes`. @throws PetriError `unsupported` */
  get planes(): readonly (PlaneInspector | undefined)[] {
    this.#controller.require('planes');
    return this.#planes;
  }

  /** One plane. @throws PetriError `unsupported` where there is none of that number to be seen */
  plane(index: number): PlaneInspector {
    const plane = this.planes[index];
    if (plane === undefined) throw this.#controller.unsupported(`plane ${index}`);
    return plane;
  }

  /** Facts of a realm. @throws PetriError `unsupported` for another VM, or where the backend sees none */
  get realm(): RealmInspector {
    if (this.#realm === undefined) throw this.#controller.unsupported('realm facts');
    return this.#realm;
  }

  /**
   * Registers of a vCPU of a VM without planes. Needs `inspect.registers`.
   *
   * @param vcpu number of the vCPU, from 0
   * @throws PetriError `unsupported`; `invalid-option` where there is no such vCPU
   */
  registers(vcpu = 0): Registers {
    this.#controller.require('inspect.registers');
    const { registers } = this.#controller.parts.runtime;
    if (registers === undefined) throw this.#controller.unsupported('registers outside of planes');
    return registers(vcpu);
  }

  /**
   * Boots the VM, unless it is running.
   *
   * @throws PetriError `tmk-test-ambiguous` when its TMK has several tests and none was chosen, `vm-closed` after
   *   `kill`, `unsupported` where a VM cannot be booted twice, and what the backend says
   */
  async start(): Promise<void> {
    await this.#controller.start();
  }

  /** Boots the VM from the start, with the test that it ran last. @throws as `start` does */
  async reset(): Promise<void> {
    await this.#controller.reboot();
  }

  /**
   * Keeps the state of the VM as it is now, exact to the byte and instruction, with what its consoles have shown; boots
   * it first if it was never booted. It goes on as if nothing had happened. Needs `snapshot`.
   *
   * @throws PetriError `unsupported`; `vm-halted` where it does not run any more; `console-incomplete` where a part of
   *   what a console showed is lost
   */
  async snapshot(): Promise<VmSnapshot> {
    return await this.#controller.snapshot();
  }

  /**
   * Goes on from a snapshot, whatever the VM does now or how it ended. Its consoles begin a new boot with what they
   * showed in the snapshot, and `exec` calls that wait for an answer fail. Needs `snapshot`.
   *
   * @param snapshot of this VM, or of another one that was launched with the same options
   * @throws PetriError `unsupported`; `invalid-option` for one of another VM; `vm-closed` after `kill`
   */
  async restore(snapshot: VmSnapshot): Promise<void> {
    checkArgument('restore()', 'snapshot', snapshot, aSnapshot);
    await this.#controller.restore(snapshot);
  }

  /** Asks the guest to go, and after `timeout` milliseconds makes it. Idempotent; nothing if the VM does not run. */
  async stop(options: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions('stop()', options, { timeout: milliseconds });
    await this.#controller.stop(options.timeout ?? STOP_TIMEOUT);
  }

  /** Ends the VM for good and gives back what it holds. Idempotent; never rejects. */
  async kill(): Promise<void> {
    await this.#controller.kill();
  }

  /**
   * Keeps a file with the test's record, in `attachments/` of the VM's folder.
   *
   * @param name characters but letters, digits, `_`, `.` and `-` become `_`; a name that is taken gets a number
   * @returns its absolute path
   * @throws PetriError `invalid-option`, `folder-unusable` where the file cannot be written
   */
  async attach(name: string, data: string | Uint8Array): Promise<string> {
    checkArgument('attach()', 'name', name, text);
    checkArgument('attach()', 'data', data, bytesOrText);
    try {
      return this.#controller.parts.folder.attach(name, data);
    } catch (error) {
      throw new PetriError(`${JSON.stringify(name)} cannot be kept in ${this.directory}: ${String(error)}`, {
        code: 'folder-unusable',
        step: 'run',
        remedy: 'free space on the disk, and leave the folder of a run alone while it lasts',
        cause: error,
      });
    }
  }

  /** A line into the VM's own log file. */
  log(message: string): void {
    this.#controller.log(message);
  }

  /** Ends the VM as its deadline does. @internal */
  async expire(message: string): Promise<void> {
    await this.#controller.expire(message);
  }

  /** Ends the VM, writes its record and closes its files. Idempotent; never rejects. A test's own VMs end with it. */
  async dispose(): Promise<void> {
    await this.#controller.dispose();
  }

  /** As `dispose`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** A VM that boots a TMK (test microkernel). */
export class TmkVm extends Vm<TmkPayload> {
  /** The tests inside its TMK: `list`, `run`, `events`. */
  readonly tmk: VmTmk;

  /** @internal VMs are made by `launchVm`. */
  constructor(controller: VmController, payload: TmkPayload) {
    super(controller, payload);
    this.tmk = {
      list: () => payload.image.tests,
      run: async (name) => await runTest(controller, payload, name),
      get events() {
        return controller.newest?.events ?? [];
      },
    };
  }
}

/** A VM that boots Linux. */
export class LinuxVm extends Vm<LinuxPayload> {
  readonly #controller: VmController;

  /** @internal VMs are made by `launchVm`. */
  constructor(controller: VmController, payload: LinuxPayload) {
    super(controller, payload);
    this.#controller = controller;
  }

  /**
   * Runs a command with the shell of the guest, which is booted first. Needs `exec`.
   *
   * @throws PetriError `unsupported`, `wait-timeout` where the command takes longer than its time-out, `vm-halted`
   *   where the guest ends meanwhile
   */
  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    checkExec(command, options);
    const { runtime } = this.#controller.parts;
    if (runtime.exec === undefined) {
      throw this.#controller.unsupported(`a shell to run ${JSON.stringify(command)} in`, 'exec');
    }
    await this.#controller.boot();
    return await runtime.exec(command, options);
  }
}

/** A VM that boots a bare-metal image or firmware. */
export class ImageVm extends Vm<ImagePayload> {}

/** The VM that boots a payload: `TmkVm`, `LinuxVm`, `ImageVm`, or any of them where the payload may be any. */
export type VmOf<P extends VmPayload> = P extends TmkPayload
  ? TmkVm
  : P extends LinuxPayload
    ? LinuxVm
    : P extends ImagePayload
      ? ImageVm
      : never;

/** The handle of a VM for those who use it. */
export function vmOf(controller: VmController): VmOf<VmPayload> {
  const { payload } = controller.parts.spec;
  switch (payload.kind) {
    case 'tmk':
      return new TmkVm(controller, payload);
    case 'linux':
      return new LinuxVm(controller, payload);
    case 'image':
      return new ImageVm(controller, payload);
  }
}

async function runTest(controller: VmController, payload: TmkPayload, name: string): Promise<TmkResult> {
  checkArgument('tmk.run()', 'name', name, text);
  const test = findTest(payload.image, payload.name, name);
  if (test.expectedFailure) controller.require('tmk.events');
  const run = await controller.reboot(test.index);
  return judge(test, run.events, await run.halted);
}
