import {
  type VmBoot,
  type VmRuntime,
  type Feature,
  type HaltReason,
  type Registers,
  type VmSpec,
  describeHalt,
} from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { slowFactor } from '../slow-factor.ts';
import { timeoutSignal, timerDelay } from '../timer.ts';
import type { SerialConsole } from '../serial/index.ts';
import { quotedLines } from '../text/index.ts';
import { BootRun, type PlaneSummary } from './boot-run.ts';
import { defaultTest, testsOf } from './default-test.ts';
import type { VmEnd } from './vm-end.ts';
import type { VmFolder } from './vm-folder.ts';
import { VmSnapshot } from './vm-snapshot.ts';

/** Milliseconds, before the slow factor, that a backend has to end a VM after it was asked to. */
const END_GRACE = 1000;

/** Exits of each plane that go into the record. */
const RECORDED_EXITS = 16;

/** What a VM is made of. */
export interface VmParts {
  /** Name of the backend. */
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

/** Begins a boot. */
type Boots = (runtime: VmRuntime) => Promise<VmBoot>;

/** The life of a VM, from its first boot to its record. What a test may do with it is `Vm`. */
export class VmController {
  readonly parts: VmParts;
  readonly #boots: BootRun[] = [];
  /** The boot that the consoles show. */
  #current: BootRun | undefined;
  #booting: Promise<BootRun> | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: VmParts) {
    this.parts = parts;
  }

  /** Every boot so far, oldest first. */
  get boots(): readonly BootRun[] {
    return this.#boots;
  }

  get newest(): BootRun | undefined {
    return this.#boots.at(-1);
  }

  /** The newest boot, while it runs. */
  get running(): BootRun | undefined {
    return this.newest?.halt === undefined ? this.newest : undefined;
  }

  /** How the newest boot ends; boots the VM if it was never booted. Rejects only where it cannot be booted. */
  async untilHalted(): Promise<HaltReason> {
    if (this.#boots.length === 0 && this.#ending !== undefined) return { reason: 'stopped' };
    await this.boot();
    return await (this.newest?.halted ?? { reason: 'stopped' as const });
  }

  /** Boots the VM if it was never booted: what every use of it does. Idempotent. @throws as `Vm.start` does */
  async boot(): Promise<void> {
    if (this.#boots.length === 0) await this.#begin(() => this.#defaultTest());
  }

  /** Boots the VM, unless it is running. @throws as `Vm.start` does */
  async start(): Promise<void> {
    if (this.running === undefined) await this.#begin(() => this.#defaultTest());
  }

  /**
   * Boots the VM from the start, also where it is running.
   *
   * @param testIndex the test inside the TMK; without it the one that it ran last
   * @throws as `Vm.start` does
   */
  async reboot(testIndex?: number): Promise<BootRun> {
    return await this.#begin(() => testIndex ?? this.newest?.testIndex ?? this.#defaultTest(), 'again');
  }

  /** @throws as `Vm.snapshot` does */
  async snapshot(): Promise<VmSnapshot> {
    const { backend, spec, runtime, consoles } = this.parts;
    this.require('snapshot');
    if (runtime.snapshot === undefined) throw this.unsupported('snapshots', 'snapshot');
    await this.boot();
    if (this.running === undefined) throw notRunning(this.state);
    const state = await runtime.snapshot();
    const marks = [...consoles].map(([name, console]) => [name, console.mark()] as const);
    return new VmSnapshot({ backend, spec, state, consoles: new Map(marks) });
  }

  /** @throws as `Vm.restore` does */
  async restore(snapshot: VmSnapshot): Promise<void> {
    const { backend, spec } = this.parts;
    this.require('snapshot');
    const contents = snapshot.contentsFor(backend, spec);
    await this.#begin(
      () => this.newest?.testIndex ?? this.#defaultTest(),
      'again',
      async (runtime) => {
        if (runtime.restore === undefined) throw this.unsupported('snapshots', 'snapshot');
        for (const [name, console] of this.parts.consoles) console.reopen(contents.consoles.get(name));
        return await runtime.restore(contents.state);
      },
    );
  }

  /** Asks the guest to go, and makes it where it has not gone after `timeout` milliseconds. */
  async stop(timeout: number): Promise<void> {
    const run = this.running;
    if (run === undefined) return;
    const signal = timeoutSignal(timeout);
    const asked = this.parts.runtime.stop(signal).catch((error: unknown) => this.log(`stop failed: ${String(error)}`));
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

  /** Ends the VM because its deadline has passed, also where the backend does not do so on its signal. */
  async expire(message: string): Promise<void> {
    const { end } = this.parts;
    if (end.why !== undefined) return;
    end.end({ reason: 'timeout', message });
    const run = this.running;
    if (run === undefined) return;
    await withGrace(run.halted);
    if (run.halt !== undefined) return;
    this.log(`the backend did not end the VM within ${END_GRACE * slowFactor()} ms of its deadline`);
    const registers = this.#registersIfVisible();
    run.force({ reason: 'timeout', message, ...(registers === undefined ? {} : { registers }) });
    await run.halted;
  }

  /** Ends the VM, writes its record and closes its files. Idempotent; never rejects. */
  async dispose(): Promise<void> {
    await this.kill();
    for (const console of this.parts.consoles.values()) console.dispose('the VM was ended');
    this.parts.folder.finish(() => this.#record());
  }

  /** A line into the VM's own log file. */
  log(message: string): void {
    this.parts.folder.log.write(message);
  }

  /** What the VM is doing, in one line. */
  get state(): string {
    const halt = this.newest?.halt;
    if (halt !== undefined) return `the VM halted: ${describeHalt(halt)}`;
    return this.#boots.length === 0 ? 'the VM was not booted' : 'the VM is running';
  }

  /** State and last lines, for the message of a test that failed. */
  describe(): string {
    const { consoles, folder } = this.parts;
    const tails = [...consoles.values()]
      .filter((console) => console.size > 0)
      .map((console) => `last lines of '${console.name}':\n${quotedLines(console.tail(), '  ')}`);
    return [this.state, ...tails, `record: ${folder.path}`].join('\n');
  }

  /** @throws PetriError `unsupported` where the backend cannot show it for this VM */
  require(feature: Feature): void {
    if (!this.parts.features.includes(feature)) throw this.unsupported(`the feature '${feature}'`, feature);
  }

  unsupported(what: string, feature?: Feature): PetriError {
    const { backend, spec } = this.parts;
    return new PetriError(`backend '${backend}' does not give ${what} for isolation type '${spec.isolation}'`, {
      code: 'unsupported',
      step: 'run',
      remedy:
        feature === undefined
          ? 'use a backend that has it'
          : `list '${feature}' in the test's \`requires\`, so that the test is skipped here`,
    });
  }

  #defaultTest(): number {
    return defaultTest(this.parts.spec.payload, this.parts.test);
  }

  /**
   * Boots. While a boot is on its way, others wait for it; `again` then boots once more, otherwise that one will do.
   */
  async #begin(testIndex: () => number, mode: 'once' | 'again' = 'once', boots?: Boots): Promise<BootRun> {
    while (this.#booting !== undefined) {
      const run = await this.#booting;
      if (mode === 'once') return run;
    }
    this.#booting = this.#boot(testIndex, boots).finally(() => {
      this.#booting = undefined;
    });
    return await this.#booting;
  }

  async #boot(testIndex: () => number, boots?: Boots): Promise<BootRun> {
    const { runtime, end, consoles } = this.parts;
    if (end.why !== undefined || this.#ending !== undefined) {
      const overdue = end.why?.reason === 'timeout' ? end.why.message : undefined;
      throw new PetriError(`the VM cannot be booted: ${overdue ?? 'it was ended'}`, {
        code: 'vm-closed',
        step: 'boot',
        remedy: 'use it before the end of its test and before kill()',
      });
    }
    const index = testIndex();
    const reset: Boots = async () => {
      if (this.#boots.length > 0) for (const console of consoles.values()) console.reopen();
      return await runtime.start({ testIndex: index });
    };
    if (boots === undefined && this.#boots.length > 0) this.require('reset');
    this.#current = undefined;
    const boot = await (boots ?? reset)(runtime).catch((error: unknown) => {
      throw error instanceof PetriError ? error : this.#bootFailed(error);
    });
    this.newest?.force({ reason: 'stopped' });
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
    const { runLimit } = this.parts;
    if (runLimit === undefined) return;
    const seconds = (runLimit / 1000).toFixed(1);
    const overdue = (): void => void this.expire(`its payload had to end within ${seconds} s`);
    const timer = setTimeout(overdue, timerDelay(runLimit));
    void run.halted.then(() => clearTimeout(timer));
  }

  #bootFailed(cause: unknown): PetriError {
    return new PetriError(`backend '${this.parts.backend}' failed to boot the VM: ${String(cause)}`, {
      code: 'backend-fault',
      step: 'boot',
      remedy: `look into ${this.parts.folder.path}`,
      cause,
    });
  }

  #onHalt(run: BootRun, halt: HaltReason): readonly PlaneSummary[] {
    if (run !== this.#current) return [];
    // What goes well is in vm.json alone: making another file takes longer than many a guest.
    if (halt.reason !== 'complete') this.log(`halted: ${describeHalt(halt)}`);
    for (const console of this.parts.consoles.values()) console.close(`the VM halted: ${describeHalt(halt)}`);
    return this.#summarizePlanes();
  }

  #summarizePlanes(): PlaneSummary[] {
    const { features, runtime } = this.parts;
    if (!features.includes('inspect.exits')) return [];
    try {
      return runtime.planes.flatMap((plane) =>
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
    const { end, runtime, consoles } = this.parts;
    end.end({ reason: 'stopped' });
    if (this.#booting !== undefined) await withGrace(this.#booting.catch(() => undefined));
    const run = this.running;
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
    for (const console of consoles.values()) console.close('the VM was ended');
  }

  #registersIfVisible(): Registers | undefined {
    if (!this.parts.features.includes('inspect.registers')) return undefined;
    try {
      const { planes, registers } = this.parts.runtime;
      return planes[1]?.registers() ?? registers?.();
    } catch (error) {
      this.log(`the registers cannot be read: ${String(error)}`);
      return undefined;
    }
  }

  #record(): object {
    const { backend, spec, features, runtime, consoles } = this.parts;
    const { isolation, payload, config } = spec;
    return {
      backend,
      isolation,
      payload: { name: payload.name, path: payload.path },
      config: { ...config, rpv: Buffer.from(config.rpv).toString('hex') },
      features,
      facts: runtime.facts,
      boots: this.#boots.map((boot) => boot.record(testsOf(payload))),
      consoles: [...consoles.values()].map(({ name, size, logFailure }) => ({
        name,
        bytes: size,
        failure: logFailure?.message,
      })),
    };
  }
}

function notRunning(state: string): PetriError {
  return new PetriError(`there is nothing to take a snapshot of: ${state}`, {
    code: 'vm-halted',
    step: 'run',
    remedy: 'take it while the VM runs',
  });
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
