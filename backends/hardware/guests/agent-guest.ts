import type { TmkEvent, HaltReason, TmkImage } from '../../../petri/contract/index.ts';
import {
  edk2Crashes,
  initCrashes,
  kvmtoolCrashes,
  linuxCrashes,
  rustCrashes,
  stagedBoot,
  type BootStage,
  type CrashSignature,
  type StageTime,
} from '../../../petri/kit/boot/index.ts';
import {
  AgentLink,
  framePattern,
  newNonce,
  plane0Failure,
  nudge,
  haltOf,
  Plane0,
  type RunEnd,
  TmkVmmLog,
} from '../../../petri/kit/cca/index.ts';
import type { SerialConsole } from '../../../petri/serial/index.ts';
import { launcherFailure, type Guest } from './guest.ts';

const SECOND = 1000;
/** Milliseconds: from the launcher's start until a shell answers, from there to the agent, and between two queries. */
const budgets = { shell: 600 * SECOND, agent: 120 * SECOND };
/** How often the output of a run is requested again if it arrived damaged. */
const AGAIN = 2;
/** Name of the payload in the shared folder (share.sh). */
const PAYLOAD = 'payload.elf';

/** The launcher and its guest print on one console: firmware, Linux and init. */
const crashes: readonly CrashSignature[] = [
  ...edk2Crashes,
  ...linuxCrashes,
  ...initCrashes,
  ...rustCrashes,
  ...kvmtoolCrashes,
];

/** Command lines for the shell that a guest starts. */
export interface ShellLines {
  /**
   * Makes the shell print the frame `##petri NONCE shell##` when it is ready for `startAgent`; the echo of the line
   * must not match that.
   */
  nudge(nonce: string): string;
  startAgent(nonce: string): string;
}

export interface AgentGuestOptions {
  readonly lines: ShellLines;
  /** Full name of the test. */
  readonly test: string;
  readonly image: TmkImage;
  /** Receives the guest's log. */
  readonly serial: (bytes: Uint8Array) => void;
  /** Receives the launcher's output: the console of the Linux in the guest. */
  readonly launcher: SerialConsole;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
}

/**
 * A guest with Linux in it, such as plane 0 of a realm, whose shell is on the launcher's console. Our agent is started
 * there (artifacts/cca/guest/plane0-agent.sh) and runs tmk_vmm once.
 */
export class AgentGuest implements Guest {
  readonly started: Promise<void>;
  readonly halted: Promise<HaltReason>;
  readonly #options: AgentGuestOptions;
  readonly #link = new AgentLink();
  /** Resolves with how the launcher ended. */
  readonly #gone: Promise<string>;
  #tellGone: (how: string) => void = () => undefined;
  #halt: (halt: HaltReason) => void = () => undefined;
  #begin: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #log: TmkVmmLog;
  #completion: readonly TmkEvent[] = [];
  #type: (bytes: Uint8Array) => void = () => undefined;

  constructor(options: AgentGuestOptions) {
    this.#options = options;
    this.#log = this.#newLog((text) => {
      options.serial(Buffer.from(text));
    });
    this.halted = new Promise((resolve) => (this.#halt = resolve));
    this.#gone = new Promise((resolve) => (this.#tellGone = resolve));
    this.started = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#fail = reject;
    });
    // Waits handle the rejection, but there may be none if the VM is ended first.
    this.started.catch(() => undefined);
  }

  get events(): readonly TmkEvent[] {
    return [...this.#log.events, ...this.#completion];
  }

  output(bytes: Uint8Array): void {
    this.#options.launcher.push(bytes);
    this.#link.receive(bytes);
  }

  attach(type: (bytes: Uint8Array) => void): void {
    this.#type = type;
    this.#run().catch((cause: unknown) => {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#fail(error);
      this.#halt({ reason: 'backend-lost', message: error.message });
    });
  }

  /** If the launcher ends before the agent has reported the end of the test, the guest is lost. */
  launcherEnded(code: number): HaltReason {
    const how = `the launcher ended with code ${String(code)}`;
    this.#tellGone(how);
    return launcherFailure(code) ?? { reason: 'backend-lost', message: `${how} before the test did` };
  }

  async #run(): Promise<void> {
    await this.#boot();
    const plane0 = new Plane0({
      link: this.#link,

      write: async (bytes) => {
        this.#type(bytes);
      },
      lost: this.#gone,
      log: this.#options.log,
    });
    const end = await plane0.run({
      file: PAYLOAD,
      test: this.#options.test,
      take: (bytes) => {
        this.#log.push(bytes);
      },
      onStart: this.#begin,
    });
    this.#halt(await this.#conclude(plane0, end));
  }

  async #boot(): Promise<void> {
    const { lines, launcher, signal, log } = this.#options;
    const nonces = { shell: newNonce(), agent: newNonce() };
    const agent = this.#link.open(nonces.agent);
    const failed = agent.next('plane0-failed').then(({ values }) => plane0Failure(values));
    const stopAsking = nudge(() => this.#type(Buffer.from(`${lines.nudge(nonces.shell)}\n`)));
    const onStage = ({ name, milliseconds }: StageTime): void => {
      log(`reached ${name} after ${(milliseconds / 1000).toFixed(2)} s`);
      stopAsking();
      if (name === 'shell') this.#type(Buffer.from(`${lines.startAgent(nonces.agent)}\n`));
    };
    try {
      await stagedBoot({
        stages: [
          stage('shell', launcher.name, nonces.shell, 'shell', budgets.shell),
          stage('agent', launcher.name, nonces.agent, 'plane0-ready', budgets.agent),
        ],
        consoles: new Map([[launcher.name, launcher]]),
        crashes,
        signal,
        exited: Promise.race([this.#gone, failed]),
        onStage,
      });
    } finally {
      stopAsking();
      agent.close();
    }
  }

  #newLog(print: (text: string) => void): TmkVmmLog {
    return new TmkVmmLog(print, this.#options.log, this.#options.image);
  }

  async #conclude(plane0: Plane0, { code, intact }: RunEnd): Promise<HaltReason> {
    let whole = { code, report: this.#log.finish(), events: this.#log.events };
    for (let attempt = 0; !intact; attempt += 1) {
      if (attempt === AGAIN)
        return { reason: 'backend-lost', message: 'the output of tmk_vmm arrived damaged every time' };
      this.#options.log('the output of tmk_vmm arrived damaged; asking for it again');
      const again = await plane0.again();
      if (again === undefined) continue;
      const log = this.#newLog(() => undefined);
      log.push(again.output);
      whole = { code: again.code, report: log.finish(), events: log.events };
      this.#log = log;
      break;
    }
    const halt = haltOf(whole);
    if (halt.reason === 'complete') this.#completion = [{ kind: 'complete', success: halt.success }];
    return halt;
  }
}

function stage(name: string, console: string, nonce: string, verb: string, deadline: number): BootStage {
  return { name, console, marker: framePattern(nonce, verb), deadline };
}
