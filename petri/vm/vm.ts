import type { TmkEvent, VmRuntime } from '../contract/backend.ts';
import { slowFactor } from '../kit/boot/slow-factor.ts';
import { PetriError } from '../errors.ts';
import { bytesOrText, checkArgument, checkOptions, milliseconds, text } from '../options/index.ts';
import { findTest, type TmkTest } from '../payload/index.ts';
import type { SerialConsole } from '../serial/index.ts';
import { quotedLines } from '../text/index.ts';
import { BootRun, type PlaneSummary, type VmBootSummary } from './boot-run.ts';
import { describeHalt } from './describe-halt.ts';
import { checkExec, type ExecOptions, type ExecResult } from './exec.ts';
import type { Feature } from '../contract/features.ts';
import type { HaltReason } from '../contract/halt.ts';
import type { PlaneInspector, RealmInspector, Registers } from '../contract/inspect.ts';
import type { IsolationType } from '../contract/isolation.ts';
import type { VmPayload, VmSpec } from '../contract/spec.ts';
import type { VmTmk } from './vm-tmk.ts';
import { LastingPlane, LastingRealm } from './lasting-inspectors.ts';
import type { VmEnd } from './vm-end.ts';
import type { VmFolder } from './vm-folder.ts';
import { judge, type TmkResult } from '../tmk/verdict.ts';

/** Milliseconds that `stop` leaves a guest to go by itself. */
const STOP_TIMEOUT = 5000;

/** Milliseconds, before the slow factor, that a backend has to end a VM after it was asked to. */
const END_GRACE = 1000;

/** Exits of each plane that go into the record. */
const RECORDED_EXITS = 16;

/** What a handle is made of. */
export interface VmParts {
  readonly backend: string;
  readonly spec: VmSpec;
  readonly runtime: VmRuntime;
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  readonly features: readonly Feature[];
  readonly folder: VmFolder;
  readonly end: VmEnd;
  /** The test inside the TMK that booting without `tmk.run` starts, if it has a choice. */
  readonly test: string | undefined;
  /** Milliseconds that a payload may run, where there is such a limit. */
  readonly runLimit: number | undefined;
}

/**
 * A VM as a test sees it. It is booted by its first use: `start`, `halted`, `tmk.run`, and every use of a console.
 */
export class Vm {
  /** Name of the backend that made it. */
  readonly backend: string;
  /** How it is isolated from its host. */
  readonly isolation: IsolationType;
  /** What it boots. */
  readonly payload: VmPayload;
  /** Its configuration, defaults filled in. */
  readonly config: VmSpec['config'];
  /** What the backend can show of this VM. */
  readonly features: readonly Feature[];
  /** The VM's folder: its consoles, `petri.log`, `vm.json` and attachments. */
  readonly directory: string;
  /** All consoles by name. */
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  /**
   * The tests inside its TMK: `list`, `run`, `events`. Of another payload it lists none, and `run` throws
   * `unsupported`.
   */
  readonly tmk: VmTmk;
  readonly #parts: VmParts;
  readonly #planes: readonly (PlaneInspector | undefined)[];
  readonly #realm: RealmInspector | undefined;
  readonly #boots: BootRun[] = [];
  /** The boot that the consoles show. */
  #current: BootRun | undefined;
  #booting: Promise<BootRun> | undefined;
  #ending: Promise<void> | undefined;

  /** @internal VMs are made by `launchVm`. */
  constructor(parts: VmParts) {
    this.#parts = parts;
    this.backend = parts.backend;
    this.isolation = parts.spec.isolation;
    this.payload = parts.spec.payload;
    this.config = parts.spec.config;
    this.features = parts.features;
    this.directory = parts.folder.path;
    this.consoles = parts.consoles;
    const { runtime } = parts;
    this.#realm = runtime.realm === undefined ? undefined : new LastingRealm(runtime);
    this.#planes = runtime.planes.map((plane) => plane && new LastingPlane(plane.index, runtime));
    const events = (): readonly TmkEvent[] => this.#boots.at(-1)?.events ?? [];
    this.tmk = {
      list: () => testsOf(this.payload),
      run: (name) => this.#runTest(name),
      get events() {
        return events();
      },
    };
  }

  /** The default console. @throws PetriError `unsupported` where the backend has none */
  get serial(): SerialConsole {
    const [first] = this.consoles.values();
    if (first === undefined) throw this.#unsupported('a serial console');
    return first;
  }

  /**
   * Why the VM halted, once it has; boots it first. After `reset` it is about the newest boot. Rejects only when the VM
   * cannot be booted.
   */
  get halted(): Promise<HaltReason> {
    if (this.#boots.length === 0 && this.#ending !== undefined) return Promise.resolve({ reason: 'stopped' });
    return this.boot().then(async () => await (this.#boots.at(-1)?.halted ?? { reason: 'stopped' as const }));
  }

  /** How the newest boot ended; `undefined` before that. Does not boot. */
  get haltReason(): HaltReason | undefined {
    return this.#boots.at(-1)?.halt;
  }

  /** Every boot so far, oldest first. Does not boot. */
  get boots(): readonly VmBootSummary[] {
    return this.#boots.map(({ testIndex, halt }) => ({ test: testsOf(this.payload)[testIndex]?.name, halt }));
  }

  /** Instructions retired by the newest boot, where the backend counts them. */
  get instructions(): number | undefined {
    return this.#boots.at(-1)?.instructions;
  }

  /** By plane number. Needs the feature `planes`. @throws PetriError `unsupported` */
  get planes(): readonly (PlaneInspector | undefined)[] {
    this.#require('planes');
    return this.#planes;
  }

  /** One plane. @throws PetriError `unsupported` where there is none of that number to be seen */
  plane(index: number): PlaneInspector {
    const plane = this.planes[index];
    if (plane === undefined) throw this.#unsupported(`plane ${index}`);
    return plane;
  }

  /** Facts of a realm. @throws PetriError `unsupported` for another VM, or where the backend sees none */
  get realm(): RealmInspector {
    if (this.#realm === undefined) throw this.#unsupported('realm facts');
    return this.#realm;
  }

  /**
   * Registers of a vCPU of a VM without planes. Needs `inspect.registers`.
   *
   * @param vcpu number of the vCPU, from 0
   * @throws PetriError `unsupported`; `invalid-option` where there is no such vCPU
   */
  registers(vcpu = 0): Registers {
    this.#require('inspect.registers');
    const { registers } = this.#parts.runtime;
    if (registers === undefined) throw this.#unsupported('registers outside of planes');
    return registers(vcpu);
  }

  /** Boots the VM if it was never booted. Idempotent. @throws as `start` does */
  async boot(): Promise<void> {
    if (this.#boots.length === 0) await this.#begin(() => this.#defaultTest());
  }

  /**
   * Boots the VM, unless it is running.
   *
   * @throws PetriError `tmk-test-ambiguous` when its TMK has several tests and none was chosen, `vm-closed` after
   *   `kill`, `unsupported` where a VM cannot be booted twice, and what the backend says
   */
  async start(): Promise<void> {
    if (this.#running() === undefined) await this.#begin(() => this.#defaultTest());
  }

  /** Boots the VM from the start, with the test that it ran last. @throws as `start` does */
  async reset(): Promise<void> {
    await this.#begin(() => this.#boots.at(-1)?.testIndex ?? this.#defaultTest(), 'again');
  }

  /** Asks the guest to go, and after `timeout` milliseconds makes it. Idempotent; nothing if the VM does not run. */
  async stop(options: { readonly timeout?: number } = {}): Promise<void> {
    checkOptions('stop()', options, { timeout: milliseconds });
    const run = this.#running();
    if (run === undefined) return;
    const timeout = options.timeout ?? STOP_TIMEOUT;
    const signal = AbortSignal.timeout(timeout);
    const asked = this.#parts.runtime.stop(signal).catch((error: unknown) => this.log(`stop failed: ${String(error)}`));
    const overdue = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.race([asked.then(() => run.halted), run.halted, overdue]);
    if (run.halt === undefined) {
      this.log(`the guest did not stop within ${timeout} ms; it is killed`);
      await this.kill();
    }
  }

  /** Ends the VM for good and gives back what it holds. Idempotent; never rejects. */
  kill(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /**
   * Runs a command with the shell of the guest, which is booted first. Needs `exec`.
   *
   * @throws PetriError `unsupported`, `wait-timeout` where the command takes longer than its time-out, `vm-halted`
   *   where the guest ends meanwhile
   */
  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    checkExec(command, options);
    const { runtime } = this.#parts;
    if (runtime.exec === undefined) throw this.#unsupported(`a shell to run ${JSON.stringify(command)} in`, 'exec');
    await this.boot();
    return await runtime.exec(command, options);
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
      return this.#parts.folder.attach(name, data);
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
    this.#parts.folder.log.write(message);
  }

  /** Ends the VM, writes its record and closes its files. Idempotent; never rejects. */
  async dispose(): Promise<void> {
    await this.kill();
    for (const console of this.consoles.values()) console.dispose('the VM was ended');
    this.#parts.folder.finish(() => this.#record());
  }

  /** As `dispose`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** What the VM is doing, in one line. */
  get state(): string {
    const halt = this.haltReason;
    if (halt !== undefined) return `the VM halted: ${describeHalt(halt)}`;
    return this.#boots.length === 0 ? 'the VM was not booted' : 'the VM is running';
  }

  /** State and last lines, for the message of a test that failed. */
  describe(): string {
    const tails = [...this.consoles.values()]
      .filter((console) => console.size > 0)
      .map((console) => `last lines of '${console.name}':\n${quotedLines(console.tail(), '  ')}`);
    return [this.state, ...tails, `record: ${this.directory}`].join('\n');
  }

  async #runTest(name: string): Promise<TmkResult> {
    if (this.payload.kind !== 'tmk') throw this.#unsupported('the tests of a TMK: the VM boots Linux');
    checkArgument('tmk.run()', 'name', name, text);
    const test = findTest(this.payload.image, this.payload.name, name);
    if (test.expectedFailure) this.#require('tmk.events');
    const run = await this.#begin(() => test.index, 'again');
    return judge(test, run.events, await run.halted);
  }

  #defaultTest(): number {
    if (this.payload.kind !== 'tmk') return 0;
    const { image, name, test: ofPayload } = this.payload;
    const chosen = this.#parts.test ?? ofPayload;
    if (chosen !== undefined) return findTest(image, name, chosen).index;
    const [first, second] = image.tests;
    if (first !== undefined && second === undefined) return first.index;
    throw new PetriError(`the TMK '${name}' has ${image.tests.length} tests, and none was chosen to boot with`, {
      code: 'tmk-test-ambiguous',
      step: 'boot',
      remedy: `choose one with tmk(${JSON.stringify(name)}, { test }) or vm.tmk.run(name): ${image.tests.map((test) => test.name).join(', ')}`,
    });
  }

  #running(): BootRun | undefined {
    const run = this.#boots.at(-1);
    return run?.halt === undefined ? run : undefined;
  }

  /**
   * Boots. While a boot is on its way, others wait for it; `again` then boots once more, otherwise that one will do.
   */
  async #begin(testIndex: () => number, mode: 'once' | 'again' = 'once'): Promise<BootRun> {
    while (this.#booting !== undefined) {
      const run = await this.#booting;
      if (mode === 'once') return run;
    }
    this.#booting = this.#boot(testIndex).finally(() => {
      this.#booting = undefined;
    });
    return await this.#booting;
  }

  async #boot(testIndex: () => number): Promise<BootRun> {
    const { why } = this.#parts.end;
    if (why !== undefined || this.#ending !== undefined) {
      const overdue = why?.reason === 'timeout' ? why.message : undefined;
      throw new PetriError(`the VM cannot be booted: ${overdue ?? 'it was ended'}`, {
        code: 'vm-closed',
        step: 'boot',
        remedy: 'use it before the end of its test and before kill()',
      });
    }
    const index = testIndex();
    const { runtime, end } = this.#parts;
    if (this.#boots.length > 0) this.#require('reset');
    this.#current = undefined;
    if (this.#boots.length > 0) for (const console of this.consoles.values()) console.reopen();
    const boot = await runtime.start({ testIndex: index }).catch((error: unknown) => {
      throw error instanceof PetriError ? error : this.#bootFailed(error);
    });
    this.#boots.at(-1)?.force({ reason: 'stopped' });
    const run: BootRun = new BootRun(index, boot, {
      interpret: (halt) => (halt.reason === 'stopped' ? (end.why ?? halt) : halt),
      onHalt: (halt) => this.#onHalt(run, halt),
    });
    this.#boots.push(run);
    this.#current = run;
    end.repeat();
    this.#limit(run);
    return run;
  }

  #limit(run: BootRun): void {
    const { runLimit } = this.#parts;
    if (runLimit === undefined) return;
    const seconds = (runLimit / 1000).toFixed(1);
    const timer = setTimeout(() => void this.expire(`its payload had to end within ${seconds} s`), runLimit);
    void run.halted.then(() => clearTimeout(timer));
  }

  #bootFailed(cause: unknown): PetriError {
    return new PetriError(`backend '${this.backend}' failed to boot the VM: ${String(cause)}`, {
      code: 'backend-fault',
      step: 'boot',
      remedy: `look into ${this.directory}`,
      cause,
    });
  }

  #onHalt(run: BootRun, halt: HaltReason): readonly PlaneSummary[] {
    if (run !== this.#current) return [];
    // What goes well is in vm.json alone: making another file takes longer than many a guest.
    if (halt.reason !== 'complete') this.log(`halted: ${describeHalt(halt)}`);
    for (const console of this.consoles.values()) console.close(`the VM halted: ${describeHalt(halt)}`);
    return this.#summarizePlanes();
  }

  #summarizePlanes(): PlaneSummary[] {
    if (!this.features.includes('inspect.exits')) return [];
    try {
      return this.#parts.runtime.planes.flatMap((plane) =>
        plane === undefined
          ? []
          : [
              {
                plane: plane.index,
                exits: plane.exitCount,
                last: plane.exits.slice(-RECORDED_EXITS).map((exit) => exit.summary),
              },
            ],
      );
    } catch (error) {
      this.log(`the exits of the planes cannot be read: ${String(error)}`);
      return [];
    }
  }

  async #end(): Promise<void> {
    const { end, runtime } = this.#parts;
    end.end({ reason: 'stopped' });
    if (this.#booting !== undefined) await withGrace(this.#booting.catch(() => undefined));
    const run = this.#running();
    end.release();
    try {
      await withGrace(runtime.kill());
    } catch (error) {
      this.log(`kill failed: ${String(error)}`);
    }
    if (run !== undefined) {
      await withGrace(run.halted);
      run.force({ reason: 'stopped' });
      await run.halted;
    }
    for (const console of this.consoles.values()) console.close('the VM was ended');
  }

  /** Ends the VM because its deadline has passed, also where the backend does not do so on its signal. @internal */
  async expire(message: string): Promise<void> {
    const { end } = this.#parts;
    if (end.why !== undefined) return;
    end.end({ reason: 'timeout', message });
    const run = this.#running();
    if (run === undefined) return;
    await withGrace(run.halted);
    if (run.halt !== undefined) return;
    this.log(`the backend did not end the VM within ${END_GRACE * slowFactor()} ms of its deadline`);
    const registers = this.#registersIfVisible();
    run.force({ reason: 'timeout', message, ...(registers === undefined ? {} : { registers }) });
    await run.halted;
  }

  #registersIfVisible(): Registers | undefined {
    if (!this.features.includes('inspect.registers')) return undefined;
    try {
      const { planes, registers } = this.#parts.runtime;
      return planes[1]?.registers() ?? registers?.();
    } catch (error) {
      this.log(`the registers cannot be read: ${String(error)}`);
      return undefined;
    }
  }

  #record(): object {
    return {
      backend: this.backend,
      isolation: this.isolation,
      payload: { name: this.payload.name, path: this.payload.path },
      config: { ...this.config, rpv: Buffer.from(this.config.rpv).toString('hex') },
      features: this.features,
      facts: this.#parts.runtime.facts,
      boots: this.#boots.map((boot) => boot.record(testsOf(this.payload))),
      consoles: [...this.consoles.values()].map(({ name, size, logFailure }) => ({
        name,
        bytes: size,
        failure: logFailure?.message,
      })),
    };
  }

  #require(feature: Feature): void {
    if (!this.features.includes(feature)) throw this.#unsupported(`the feature '${feature}'`, feature);
  }

  #unsupported(what: string, feature?: Feature): PetriError {
    return new PetriError(`backend '${this.backend}' does not give ${what} for isolation type '${this.isolation}'`, {
      code: 'unsupported',
      step: 'run',
      remedy:
        feature === undefined
          ? 'use a backend that has it'
          : `list '${feature}' in the test's \`requires\`, so that the test is skipped here`,
    });
  }
}

function testsOf(payload: VmPayload): readonly TmkTest[] {
  return payload.kind === 'tmk' ? payload.image.tests : [];
}

/** Waits for a promise, but not for ever. */
async function withGrace(promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const grace = new Promise((resolve) => {
    timer = setTimeout(resolve, END_GRACE * slowFactor());
  });
  try {
    await Promise.race([promise, grace]);
  } finally {
    clearTimeout(timer);
  }
}
