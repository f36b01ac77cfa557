import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import type { Backend, ProbeResult, IsolationType, VmPayload } from '../contract/index.ts';
import { PetriError } from '../errors.ts';
import { timerDelay } from '../timer.ts';
import { harmlessLine } from '../text/index.ts';
import { launchController, resolveVmConfig, vmOf, type VmController, type VmOf } from '../vm/index.ts';
import { AwaitLedger } from './await-ledger.ts';
import { bodyVm, type BodyWatch } from './body-vm.ts';
import { moveTo, type CallSite } from './call-site.ts';
import { checkLaunch } from './check-test.ts';
import { testEnvironment, paceOf, type PetriTaskMeta } from '../run/index.ts';
import { HarmlessFailures, harmlessContext } from './harmless-failures.ts';
import { payloadOf, vmOptionsOf, type PetriTestOptions, type VmLaunchOptions } from './options.ts';
import { SeenEnds } from './seen-ends.ts';
import { skipOn, unselected, type Skip } from './skip-reason.ts';
import { testFolder } from './test-folder.ts';
import { watchAssertions } from './vitest-assertions.ts';

/**
 * What a test body gets: vitest's context, such as `expect`, `skip` and `annotate`, and the VM, which has what belongs
 * to its payload: `vm.tmk` of a TMK, `vm.exec` of Linux.
 */
export interface PetriTestContext<P extends VmPayload = VmPayload> extends TestContext {
  /**
   * The VM of the test's options, made and not yet booted: its first use boots it.
   *
   * @throws PetriError without a payload
   */
  readonly vm: VmOf<P>;
  /** The isolation type that the test was registered for. */
  readonly isolation: IsolationType;
  /** Name of the backend. */
  readonly backend: string;
  /** Makes another VM, of the test's options and these. It ends with the test. @throws PetriError */
  launch<Q extends VmPayload = P>(options?: VmLaunchOptions<Q>): Promise<VmOf<Q>>;
}

/** What it returns is awaited and otherwise ignored. */
export type PetriTestBody<P extends VmPayload = VmPayload> = (context: PetriTestContext<P>) => unknown;

/** What a test is besides its options. */
export interface RegisteredTest {
  readonly body: PetriTestBody;
  /** Where it was registered: for what is wrong with no line of its body. */
  readonly site: CallSite;
  /** Name of the test inside the TMK, where it is only for a Linux plane 0. */
  readonly linuxOnly?: string | undefined;
}

/**
 * The whole of one test run: skips, launches, runs the body, reports what the VMs were doing if it fails, ends them.
 */
export async function runTest(
  context: TestContext,
  isolation: IsolationType,
  options: PetriTestOptions,
  { body, site, linuxOnly }: RegisteredTest,
): Promise<void> {
  // A test that skips itself without a reason looks to vitest like one that never began.
  keepNote(context, { began: true });
  const failures = new HarmlessFailures(context);
  const session = new TestSession(context, isolation, options, { failures, linuxOnly });
  context.onTestFinished(() => session.dispose());
  try {
    await session.run(body, site);
  } catch (error) {
    if (options.unstable === undefined || isSkip(error)) throw error;
    skip(context, { cause: 'unstable', reason: `unstable (${options.unstable}): failed with ${firstLine(error)}` });
  } finally {
    await session.dispose();
  }
}

class TestSession {
  readonly #context: TestContext;
  readonly #isolation: IsolationType;
  readonly #options: PetriTestOptions;
  readonly #linuxOnly: string | undefined;
  readonly #started = performance.now();
  readonly #vms: VmController[] = [];
  readonly #directory: () => string;
  readonly #watch: BodyWatch = { ledger: new AwaitLedger(), ends: new SeenEnds() };
  readonly #failures: HarmlessFailures;
  #over = false;

  constructor(
    context: TestContext,
    isolation: IsolationType,
    options: PetriTestOptions,
    { failures, linuxOnly }: { readonly failures: HarmlessFailures; readonly linuxOnly: string | undefined },
  ) {
    this.#failures = failures;
    this.#linuxOnly = linuxOnly;
    this.#context = context;
    // Each VM of the test listens: many are no leak.
    setMaxListeners(0, context.signal);
    this.#isolation = isolation;
    this.#options = options;
    watchAssertions(context.task, this.#watch.ledger);
    let folder: string | undefined;
    this.#directory = () => (folder ??= testFolder(testEnvironment().runDirectory(), context.task));
  }

  /** @param site where the test was registered: for what is wrong with no line of its body */
  async run(body: PetriTestBody, site: CallSite): Promise<void> {
    const environment = testEnvironment();
    // Before a backend is loaded for nothing.
    const reason = unselected(this.#isolation, environment.selectedIsolation());
    this.#skipIf(reason === undefined ? undefined : { cause: 'unselected', reason });
    const { backend, probe } = await environment.selectedBackend();
    const payload = this.#decide(backend, probe, this.#options);
    const vm = payload === undefined ? undefined : vmOf(await this.#launch(backend, probe, this.#options, payload));
    try {
      await this.#withinDeadline(async () => await body(this.#bodyContext(backend, probe, vm)));
      await this.#judgeBody(site);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async dispose(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#vms.map((vm) => vm.dispose()));
  }

  #skipIf(reason: Skip | undefined): void {
    if (reason !== undefined) skip(this.#context, reason);
  }

  /** Skips what the backend cannot run. Gives what is to be booted, if anything. */
  #decide(backend: Backend, probe: ProbeResult, options: PetriTestOptions): VmPayload | undefined {
    let payload: VmPayload | undefined;
    const demand = {
      isolation: this.#isolation,
      options,
      linuxOnly: this.#linuxOnly,
      payload: () => (payload = payloadOf(options)),
    };
    this.#skipIf(skipOn(backend, probe, demand));
    return payload;
  }

  /**
   * A body that ends well is half of a test that passes: it has waited for all it asked for, and no VM ended behind its
   * back.
   */
  async #judgeBody(site: CallSite): Promise<void> {
    const { ledger, ends } = this.#watch;
    // What has reached this process by now counts.
    if (this.#vms.some((vm) => vm.boots.some(({ halt }) => halt === undefined))) await setImmediate();
    const forgotten = ledger.forgotten();
    if (forgotten !== undefined) throw forgotten;
    const unexpected = ends.unexpected(this.#vms.map(({ boots }) => boots));
    if (unexpected === undefined) return;
    moveTo(site, unexpected);
    throw unexpected;
  }

  #bodyContext(backend: Backend, probe: ProbeResult, vm: VmOf<VmPayload> | undefined): PetriTestContext {
    const watch = this.#watch;
    const view = vm === undefined ? undefined : bodyVm(vm, watch);
    const another = async (more: VmLaunchOptions): Promise<VmOf<VmPayload>> => {
      checkLaunch(more);
      const options = { ...this.#options, ...more };
      const payload = this.#decide(backend, probe, options);
      if (payload === undefined) throw noPayload();
      return bodyVm(vmOf(await this.#launch(backend, probe, options, payload)), watch);
    };
    const launch = (options: VmLaunchOptions = {}): Promise<VmOf<VmPayload>> =>
      watch.ledger.watch('launch()', launch, another(options));
    const own = {
      get vm(): VmOf<VmPayload> {
        if (view !== undefined) return view;
        throw noPayload();
      },
      isolation: this.#isolation,
      backend: backend.name,
      launch,
    };
    const inherited: TestContext = Object.create(harmlessContext(this.#context)) as TestContext;
    // Safe: a VM is made for its payload.
    return Object.defineProperties(inherited, Object.getOwnPropertyDescriptors(own)) as PetriTestContext;
  }

  async #launch(
    backend: Backend,
    probe: ProbeResult,
    options: PetriTestOptions,
    payload: VmPayload,
  ): Promise<VmController> {
    const config = resolveVmConfig(vmOptionsOf(options));
    const features = probe.available ? (probe.isolation[this.#isolation] ?? []) : [];
    const number = this.#vms.length + 1;
    const spec = {
      isolation: this.#isolation,
      payload,
      config,
      machine: options.machine ?? 'shared',
      ...(options.hostTags === undefined ? {} : { hostTags: options.hostTags }),
    };
    const vm = await launchController(backend, spec, {
      directory: number === 1 ? this.#directory() : `${this.#directory()}/vm-${number}`,
      features,
      limits: probe.available ? probe.limits : undefined,
      signal: this.#context.signal,
      deadline: this.#timeLeft(),
      runLimit: this.#runLimit(probe),
      test: options.test,
    });
    this.#vms.push(vm);
    if (this.#over) await vm.dispose();
    return vm;
  }

  /** Milliseconds until the VMs of the test must have ended, so that our diagnosis comes before vitest's time-out. */
  #timeLeft(): number | undefined {
    const { timeout } = this.#context.task;
    if (!Number.isFinite(timeout) || timeout <= 0) return undefined;
    return Math.max(1, timeout - margin(timeout) - (performance.now() - this.#started));
  }

  /**
   * Milliseconds from a payload's start to its end, where machines take so long to boot that the test's own time-out
   * allows for it.
   */
  #runLimit(probe: ProbeResult): number | undefined {
    const { timeout } = this.#context.task;
    const pace = probe.available ? paceOf(probe.pace, this.#isolation) : undefined;
    if (pace === undefined || !Number.isFinite(timeout) || timeout <= pace.boot) return undefined;
    return timeout - pace.boot;
  }

  /** A body that waits for something else than its VM is given up too, half way between that and vitest's time-out. */
  async #withinDeadline(body: () => Promise<unknown>): Promise<void> {
    const left = this.#timeLeft();
    if (left === undefined) {
      await body();
      return;
    }
    const { timeout } = this.#context.task;
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => {
          reject(
            new PetriError(`the test did not end within ${(timeout / 1000).toFixed(1)} s`, {
              code: 'wait-timeout',
              step: 'run',
              remedy: 'give it a longer `timeout`, if what it waits for can still come',
            }),
          );
        },
        timerDelay(left + margin(timeout) / 2),
      );
    });
    try {
      await Promise.race([body(), overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Adds to a failure what the VMs were doing, as far as it does not say so itself. */
  #explain(error: unknown): unknown {
    if (isSkip(error)) return error;
    const message = error instanceof Error ? error.message : '';
    const hasTail = error instanceof PetriError && error.transcriptTail !== undefined && this.#vms.length === 1;
    const states = this.#vms.map((vm) => (hasTail ? withoutRepeat(vm, message) : vm.describe()));
    return this.#failures.explain(error, states);
  }
}

function withoutRepeat({ state, parts }: VmController, message: string): string {
  const record = `record: ${parts.folder.path}`;
  return message.includes(state) ? record : `${state}\n${record}`;
}

function margin(timeout: number): number {
  return Math.min(2000, timeout / 5);
}

/** Ends a test as skipped, and keeps why for whoever counts. */
function skip(context: TestContext, { cause, reason }: Skip): never {
  keepNote(context, { skip: cause });
  return context.skip(harmlessLine(reason));
}

function keepNote(context: TestContext, note: PetriTaskMeta): void {
  context.task.meta.petri = { ...context.task.meta.petri, ...note };
}

/** How vitest ends a test that skips itself. */
function isSkip(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'VITEST_PENDING';
}

function firstLine(error: unknown): string {
  return String(error).split('\n')[0] ?? '';
}

function noPayload(): PetriError {
  return new PetriError('the test has no payload, so it has no VM', {
    code: 'invalid-option',
    step: 'options',
    remedy: "give one: petriTest('cca', 'name', { payload: tmk('hello') }, …)",
  });
}
