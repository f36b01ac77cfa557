import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BootStage, stagedBoot, type StageTime } from '../../boot/index.ts';
import { PetriError } from '../../../errors.ts';
import { deriveImage } from '../../image/index.ts';
import type { TmkPayload } from '../../../contract/index.ts';
import { Supervisor, type Slot, type TemporaryFolder } from '../../process/index.ts';
import {
  AgentLink,
  within,
  hostCommands,
  LKVM_QUIT,
  newNonce,
  shellCommands,
  plane0Failure,
  scaled,
  sessionBudgets as budgets,
  nudge,
  Plane0,
  type RunEnd,
  type RunOptions,
  realmKey,
  type RealmRequest,
} from '../index.ts';
import { guestFiles, guestPayload } from './guest-files.ts';
import { crashOn, realmStages, type RealmNonces } from './boot-signs.ts';
import { HOST_CONSOLE, type HostMachine, type HostPlatform } from './host-platform.ts';
import type { TapConsole } from './tap-console.ts';

/** Free space in the root file system, for payloads that are sent later and what tmk_vmm prints. */
const SPARE = 128 * 2 ** 20;

export interface SessionOptions {
  readonly platform: HostPlatform;
  /** The requested payload. */
  readonly payload: TmkPayload;
  /** Folder for the logs of the whole session; made here. */
  readonly logs: string;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  /** Called with the consoles as soon as they exist. */
  readonly onConsoles: (consoles: ReadonlyMap<string, TapConsole>) => void;
}

interface Realm {
  readonly key: string;
  readonly plane0: Plane0;
  /** Resolves with how lkvm ended. */
  readonly ended: Promise<string>;
}

/** Resources of a session, in the order in which they were acquired. */
interface Holdings {
  slot?: Slot;
  folder?: TemporaryFolder;
  machine?: HostMachine;
}

/**
 * One machine with our agent on its host, and at most one realm in it. Runs must not overlap, which the caller ensures.
 * If its state is in doubt it is marked broken, and the next user makes another.
 */
export class HostSession {
  readonly logs: string;
  readonly stages: StageTime[] = [];
  readonly #options: SessionOptions;
  readonly #holdings: Holdings;
  readonly #machine: HostMachine;
  readonly #link: AgentLink;
  readonly #payloads: Set<string>;
  /** Resolves with the reason why this machine can no longer be used. */
  readonly #lost: Promise<string>;
  #lose: (why: string) => void = () => undefined;
  #realm: Realm | undefined;
  #broken: string | undefined;
  #closing: Promise<void> | undefined;
  #suspicion: ((line: string) => void) | undefined;

  /** @throws BootError, PetriError */
  static async boot(options: SessionOptions): Promise<HostSession> {
    const holdings: Holdings = {};
    try {
      return await boot(options, holdings);
    } catch (error) {
      await release(holdings, options.log);
      throw error;
    }
  }

  constructor(
    options: SessionOptions,
    holdings: Holdings,
    { machine, payloads }: { machine: HostMachine; payloads: ReadonlySet<string> },
  ) {
    this.logs = options.logs;
    this.#options = options;
    this.#holdings = holdings;
    this.#machine = machine;
    this.#payloads = new Set(payloads);
    this.#lost = new Promise((resolve) => {
      this.#lose = (why) => {
        this.#broken ??= why;
        resolve(why);
      };
    });
    void machine.ended.then((how) => this.#lose(how));
    this.#link = new AgentLink((line) => {
      if (crashOn(this.#platform.crashes, HOST_CONSOLE, line) !== undefined) this.#suspicion?.(line);
    });
    this.#host.tap((bytes) => this.#link.receive(bytes));
    for (const name of this.#platform.consoles) {
      const console = machine.consoles.get(name);
      if (name !== HOST_CONSOLE && console !== undefined) this.#watch(name, console);
    }
  }

  get #platform(): HostPlatform {
    return this.#options.platform;
  }

  get #host(): TapConsole {
    const console = this.#machine.consoles.get(HOST_CONSOLE);
    if (console !== undefined) return console;
    throw new PetriError(`a ${this.#platform.noun} without a console '${HOST_CONSOLE}'`, {
      code: 'backend-fault',
      step: 'boot',
    });
  }

  get consoles(): ReadonlyMap<string, TapConsole> {
    return this.#machine.consoles;
  }

  /** What it was booted from. */
  get key(): string {
    return this.#platform.key;
  }

  /** Why it must not be used any more; undefined if it may. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** Ensures that a realm of this configuration runs: launches one unless it does. @throws BootError, PetriError */
  async ensureRealm(request: RealmRequest, log: (message: string) => void, signal: AbortSignal): Promise<void> {
    const key = realmKey(request);
    if (this.#realm?.key === key) {
      try {
        await this.#realm.plane0.ping();
        return;
      } catch (error) {
        log(`the realm does not answer and is launched again: ${String(error)}`);
      }
    }
    if (this.#realm !== undefined) {
      log(`ending the realm with ${this.#realm.key}: the test needs one with ${key}`);
      await this.#endRealm(this.#realm);
    }
    try {
      this.#realm = await this.#launchRealm(request, key, log, signal);
    } catch (error) {
      this.#lose(`no realm could be launched: ${firstLine(error)}`);
      throw error;
    }
  }

  /** Runs one test of a payload in the realm, until it ends or plane 0 is lost. @throws Plane0Lost, PetriError */
  async run(path: string, options: Omit<RunOptions, 'file'>): Promise<RunEnd> {
    const { plane0 } = this.#plane0();
    const payload = guestPayload(path);
    if (!this.#payloads.has(payload.name)) {
      await plane0.put(payload);
      this.#payloads.add(payload.name);
    }
    return await plane0.run({ ...options, file: payload.name });
  }

  /** The output of the last run, sent again. */
  async again(): Promise<{ readonly output: Uint8Array; readonly code: number } | undefined> {
    return await this.#plane0().plane0.again();
  }

  async interrupt(): Promise<void> {
    await this.#realm?.plane0.interrupt();
  }

  /**
   * Resolves with a line that looks like a crash, if no output follows it for a while. While a payload runs, its output
   * is on the same console, so such a line is only a reason to check.
   *
   * @param budget milliseconds, before the slow factor
   */
  watchForCrash(signal: AbortSignal, budget: number = budgets.crash): Promise<string> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      this.#suspicion = (line) => {
        if (timer !== undefined) return;
        let before = -1;
        timer = setInterval(() => {
          const silent = this.#link.arrived === before;
          before = this.#link.arrived;
          if (silent) resolve(line.trim());
        }, scaled(budget));
      };
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        this.#suspicion = undefined;
      });
    });
  }

  /** Logs the stage that is waited for. */
  awaited({ name, console }: BootStage, deadline: number, log: (message: string) => void): void {
    log(`waiting for boot stage '${name}' on console '${console}', for up to ${(deadline / 60_000).toFixed(1)} min`);
  }

  /** Records how long a stage took. */
  reached(stage: StageTime, log: (message: string) => void): void {
    this.stages.push(stage);
    log(`boot stage '${stage.name}' reached after ${(stage.milliseconds / 1000).toFixed(1)} s`);
  }

  /** Marks it as broken, so that it is not used again. */
  abandon(why: string): void {
    this.#lose(why);
  }

  /** Ends the machine and everything that belongs to it. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#lose('it was closed');
      await release(this.#holdings, this.#options.log);
    })();
    return this.#closing;
  }

  async #launchRealm(
    request: RealmRequest,
    key: string,
    log: (message: string) => void,
    signal: AbortSignal,
  ): Promise<Realm> {
    const nonces: RealmNonces = { realm: newNonce(), shell: newNonce(), agent: newNonce() };
    // The output of earlier payloads is not part of this boot.
    this.#host.reopen();
    const exchange = this.#link.open(nonces.realm);
    const ended = exchange.next('realm-end').then(({ values }) => `lkvm ended with code ${values['rc'] ?? 'unknown'}`);
    const agent = this.#link.open(nonces.agent);
    const failed = agent.next('plane0-failed').then(({ values }) => plane0Failure(values));
    let stopAsking: () => void = () => undefined;
    const onStage = ({ name }: StageTime): void => {
      stopAsking();
      if (name === 'plane 0') void this.#type(shellCommands.startAgent(nonces.agent));
      if (name !== 'realm') return;
      stopAsking = nudge(() => void this.#type(shellCommands.nudge(nonces.shell)));
    };
    await this.#type(hostCommands.realm(nonces.realm, request));
    try {
      await stagedBoot({
        stages: realmStages(nonces, this.#platform.budgets),
        consoles: this.#machine.consoles,
        crashes: this.#platform.crashes,
        signal,
        exited: Promise.race([this.#lost, ended, failed]),
        running: () => this.#machine.describe(),
        onWait: (stage, deadline) => this.awaited(stage, deadline, log),
        onStage: (stage) => {
          this.reached(stage, log);
          onStage(stage);
        },
      });
    } finally {
      stopAsking();
    }
    agent.close();
    void ended.then(() => exchange.close());
    const plane0 = new Plane0({
      link: this.#link,
      write: (bytes) => this.#machine.write(bytes),
      lost: Promise.race([this.#lost, ended]),
      log,
    });
    const realm: Realm = { key, plane0, ended };
    void ended.then(() => {
      if (this.#realm === realm) this.#realm = undefined;
    });
    return realm;
  }

  /** Asks plane 0 to end, then uses lkvm's own key; if neither works, the machine is marked broken. */
  async #endRealm(realm: Realm): Promise<void> {
    this.#realm = undefined;
    const over = Promise.race([realm.ended, this.#lost]);
    await realm.plane0.exit();
    try {
      await within(over, scaled(budgets.realmEnd), 'the end of the realm');
    } catch {
      await this.#machine.write(LKVM_QUIT);
      try {
        await within(over, scaled(budgets.realmEnd), 'the end of lkvm');
      } catch (error) {
        this.#lose('the realm does not end');
        throw error;
      }
    }
    if (this.#broken !== undefined) {
      throw new PetriError(`the ${this.#platform.noun} was lost while a realm ended: ${this.#broken}`, {
        code: 'backend-fault',
        step: 'boot',
        remedy: `see the logs in ${this.logs}`,
      });
    }
  }

  #plane0(): Realm {
    if (this.#realm !== undefined) return this.#realm;
    throw new PetriError(`there is no realm on the ${this.#platform.noun}`, { code: 'backend-fault', step: 'run' });
  }

  /** No guest can write on these consoles, so a line that looks like a crash is one. */
  #watch(name: string, console: TapConsole): void {
    const lines = new AgentLink((line) => {
      const crash = crashOn(this.#platform.crashes, name, line);
      if (crash !== undefined) this.#lose(`${crash.meaning}: ${line.trim().slice(0, 200)}`);
    });
    console.tap((bytes) => lines.receive(bytes));
  }

  async #type(line: string): Promise<void> {
    await this.#machine.write(Buffer.from(`${line}\n`));
  }
}

async function boot(options: SessionOptions, holdings: Holdings): Promise<HostSession> {
  const { platform, payload, logs, log, signal } = options;
  const supervisor = await Supervisor.open();
  await mkdir(logs, { recursive: true });
  holdings.slot = await supervisor.slot(platform.slots.pool, platform.slots.capacity, {
    signal,
    onWait: (why) => log(`waiting for its turn to start a ${platform.noun}: ${why}`),
  });
  const folder = await supervisor.temporaryFolder(platform.name);
  holdings.folder = folder;
  const nonce = newNonce();
  const { files, payloads } = guestFiles(platform.files, nonce, payload);
  const rootfs = join(folder.path, 'rootfs.ext4');
  const imageStart = performance.now();
  const imageSignal = AbortSignal.any([signal, AbortSignal.timeout(scaled(budgets.image))]);
  const image = await deriveImage({
    source: platform.files.rootfs,
    target: rootfs,
    files,
    spare: SPARE,
    signal: imageSignal,
  });
  log(
    `root file system: ${image.copy.method} copy with ${image.files.length} files, in ${(performance.now() - imageStart).toFixed(0)} ms`,
  );
  const machine = await platform.start({ rootfs, folder: folder.path, logs, supervisor, signal, log });
  holdings.machine = machine;
  options.onConsoles(machine.consoles);
  const session = new HostSession(options, holdings, { machine, payloads });
  await machine.resume?.();
  await stagedBoot({
    stages: platform.stages(nonce),
    consoles: machine.consoles,
    crashes: platform.crashes,
    signal,
    exited: machine.ended,
    running: () => machine.describe(),
    onWait: (stage, deadline) => session.awaited(stage, deadline, log),
    onStage: (stage) => session.reached(stage, log),
  });
  return session;
}

/** Releases resources in reverse order. Never rejects. */
async function release(holdings: Holdings, log: (message: string) => void): Promise<void> {
  await holdings.machine?.stop();
  const { folder } = holdings;
  if (folder !== undefined && existsSync(folder.path)) {
    await folder.remove().catch((error: unknown) => {
      log(`the temporary folder of the machine could not be removed: ${String(error)}`);
    });
  }
  holdings.slot?.release();
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
