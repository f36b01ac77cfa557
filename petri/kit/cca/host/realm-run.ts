import type {
  EndReason,
  LaunchContext,
  TmkEvent,
  VmBoot,
  HaltReason,
  VmSpec,
  TmkTest,
  TmkPayload,
} from '../../../contract/index.ts';
import type { SerialConsole } from '../../../serial/index.ts';
import {
  within,
  scaled,
  sessionBudgets as budgets,
  haltOf,
  type RunEnd,
  realmRequest,
  digestOf,
  RunningDigest,
  TmkVmmLog,
} from '../index.ts';
import type { HostPlatform } from './host-platform.ts';
import type { HostSession } from './host-session.ts';
import type { SessionPool } from './session-pool.ts';
import type { TapConsole } from './tap-console.ts';

/** How often the output of a run is requested again if it arrived damaged. */
const AGAIN = 2;

const REPEATED = '[petri: bytes were lost on the way; what follows is the whole output, once more]\n';

export interface RealmRunOptions {
  readonly pool: SessionPool;
  readonly platform: HostPlatform;
  readonly spec: VmSpec<TmkPayload>;
  readonly context: LaunchContext;
  readonly test: TmkTest;
  readonly serial: SerialConsole;
  /** The consoles of the machine, as shown by the VM. */
  readonly consoles: ReadonlyMap<string, SerialConsole>;
}

/** One run of one test: from waiting for the machine until tmk_vmm has ended and the machine is free again. */
export class RealmRun implements VmBoot {
  /** Resolves when tmk_vmm has begun. Rejects with what prevented that. */
  readonly started: Promise<void>;
  readonly halted: Promise<HaltReason>;
  readonly #options: RealmRunOptions;
  readonly #over: Promise<void>;
  /** Aborted to end the guest. */
  readonly #controller = new AbortController();
  #log: TmkVmmLog;
  /** Digest of what was written to the serial console. */
  readonly #printed = new RunningDigest();
  #completion: readonly TmkEvent[] = [];
  #started: () => void = () => undefined;
  #halt: (halt: HaltReason) => void = () => undefined;
  #facts: Readonly<Record<string, string>> = {};
  readonly #untap: (() => void)[] = [];

  constructor(options: RealmRunOptions) {
    this.#options = options;
    this.#log = this.#newLog((text) => {
      const bytes = Buffer.from(text);
      this.#printed.update(bytes);
      options.serial.push(bytes);
    });
    this.halted = new Promise((resolve) => {
      this.#halt = resolve;
    });
    let fail: (error: Error) => void = () => undefined;
    this.started = new Promise((resolve, reject) => {
      this.#started = resolve;
      fail = reject;
    });
    this.#over = this.#use()
      .catch((cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error(String(cause));
        fail(error);
        this.#halt({ reason: 'backend-lost', message: error.message });
      })
      .finally(() => {
        for (const untap of this.#untap.splice(0)) untap();
      });
  }

  get tmkEvents(): readonly TmkEvent[] {
    return this.#completion.length === 0 ? this.#log.events : [...this.#log.events, ...this.#completion];
  }

  get facts(): Readonly<Record<string, string>> {
    return this.#facts;
  }

  /** Asks the guest to end; resolves when it has, or when the signal aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    if (!this.#controller.signal.aborted) this.#controller.abort(new DOMException('the VM is stopped', 'AbortError'));
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([this.#over, aborted]);
  }

  /** Ends the run, and resolves when nothing of it is left on the machine. Never rejects. */
  async end(): Promise<void> {
    this.halt({ reason: 'stopped' });
    await this.#over;
  }

  /** Ends the VM for its users at once; the machine is cleaned up afterwards. */
  halt(why: EndReason): void {
    const reason = why.reason === 'timeout' ? why.message : 'the VM is ended';
    if (!this.#controller.signal.aborted) this.#controller.abort(new DOMException(reason, 'AbortError'));
    this.#halt(why);
  }

  async #use(): Promise<void> {
    const { pool, platform, spec, context } = this.#options;
    const { signal } = this.#controller;
    await pool.use(
      {
        platform,
        spec,
        logDirectory: context.logDirectory,
        log: (message) => context.log(message),
        signal,
        onConsoles: (consoles) => this.#tap(consoles),
      },
      async (session) => {
        await session.ensureRealm(realmRequest(spec.config), (message) => context.log(message), signal);
        this.#facts = {
          'session.logs': session.logs,
          ...Object.fromEntries(
            session.stages.map(({ name, milliseconds }) => [`stage.${name}`, `${(milliseconds / 1000).toFixed(2)} s`]),
          ),
        };
        await this.#runOn(session);
      },
    );
  }

  async #runOn(session: HostSession): Promise<void> {
    const { spec, test, context, platform } = this.#options;
    this.#controller.signal.throwIfAborted();
    const over = new AbortController();
    const run = session.run(spec.payload.path, {
      test: test.name,
      take: (bytes) => this.#log.push(bytes),
      onStart: () => this.#started(),
    });
    const aborted = new Promise<'aborted'>((resolve) => {
      const onAbort = (): void => resolve('aborted');
      this.#controller.signal.addEventListener('abort', onAbort, { once: true });
      if (this.#controller.signal.aborted) onAbort();
    });
    const suspected = session.watchForCrash(over.signal, platform.runBudgets?.crash).then((line) => ({ line }));
    try {
      const first = await Promise.race([run, aborted, suspected]);
      if (first === 'aborted') {
        await this.#clear(session, run);
        this.#halt({ reason: 'stopped' });
      } else if ('line' in first) {
        this.#halt({
          reason: 'backend-lost',
          message: `this was the last output on the host's console: ${first.line}`,
        });
        await this.#clear(session, run);
      } else await this.#conclude(session, first);
    } catch (error) {
      session.abandon(error instanceof Error ? error.message : String(error));
      context.log(`the run was lost: ${String(error)}`);
      throw error;
    } finally {
      over.abort();
    }
  }

  /** Ends tmk_vmm; a plane 0 on which that fails is not used again. */
  async #clear(session: HostSession, run: Promise<RunEnd>): Promise<void> {
    const { interrupt = budgets.interrupt } = this.#options.platform.runBudgets ?? {};
    await session.interrupt();
    try {
      await within(run, scaled(interrupt), 'the end of tmk_vmm after an interrupt');
      this.#started();
    } catch (error) {
      session.abandon(`tmk_vmm could not be interrupted: ${error instanceof Error ? error.message : String(error)}`);
      // It ends when the machine does.
      run.catch(() => undefined);
      this.#started();
    }
  }

  async #conclude(session: HostSession, end: RunEnd): Promise<void> {
    const { context } = this.#options;
    let { code } = end;
    let report = this.#log.finish();
    if (!end.intact) {
      context.log('the output of tmk_vmm arrived damaged; asking plane 0 for it again');
      const repeated = await this.#repeat(session);
      if (repeated === undefined) {
        this.#halt({
          reason: 'backend-lost',
          message: 'the output of tmk_vmm arrived damaged every time',
        });
        session.abandon('its console loses bytes');
        return;
      }
      ({ code, report } = repeated);
    }
    const halt = haltOf({ code, report, events: this.#log.events });
    if (halt.reason === 'complete') this.#completion = [{ kind: 'complete', success: halt.success }];
    this.#halt(halt);
  }

  /** Reads the output that plane 0 kept, and prints what was not printed before. */
  async #repeat(session: HostSession) {
    for (let attempt = 0; attempt < AGAIN; attempt += 1) {
      const again = await session.again();
      if (again === undefined) continue;
      let text = '';
      const log = this.#newLog((more) => (text += more));
      log.push(again.output);
      const report = log.finish();
      this.#log = log;
      this.#options.serial.push(this.#missing(Buffer.from(text)));
      return { code: again.code, report };
    }
    return undefined;
  }

  #missing(whole: Uint8Array): Uint8Array {
    const { bytes, value } = this.#printed;
    // Plane 0 kept nothing, for lack of space.
    if (whole.length === 0) return whole;
    if (digestOf(whole.subarray(0, bytes)) === value && whole.length >= bytes) return whole.subarray(bytes);
    return Buffer.concat([Buffer.from(REPEATED), whole]);
  }

  #newLog(print: (text: string) => void): TmkVmmLog {
    const { context, spec } = this.#options;
    return new TmkVmmLog(print, (note) => context.log(note), spec.payload.image);
  }

  #tap(consoles: ReadonlyMap<string, TapConsole>): void {
    for (const [name, console] of this.#options.consoles) {
      const untap = consoles.get(name)?.tap((bytes) => console.push(bytes));
      if (untap !== undefined) this.#untap.push(untap);
    }
  }
}
