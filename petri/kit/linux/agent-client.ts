import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { slowFactor } from '../../slow-factor.ts';
import { PetriError } from '../../errors.ts';
import { timerDelay } from '../../timer.ts';
import type { ExecOptions, ExecResult } from '../../contract/index.ts';

/** Characters of an unfinished line, and of all answers to one command: more than the agent's own limits allow. */
const MAX_LINE = 64 * 1024;
const MAX_ANSWER = 64 * 2 ** 20;
/** Length of a command in base64, which must fit into the guest's terminal buffer. */
const MAX_COMMAND = 3500;
const DEFAULT_TIMEOUT = 30_000;
/** Milliseconds after the time-out of a command until the guest is considered silent. */
const ANSWER_GRACE = 10_000;

interface Request {
  readonly id: string;
  readonly stdout: string[];
  readonly stderr: string[];
  characters: number;
  begun: boolean;
  readonly settle: (outcome: ExecResult | PetriError) => void;
}

/** What a client knows of the agent while no command runs: plain data. */
export interface AgentState {
  /** Whether the agent has said that it is ready. */
  readonly ready: boolean;
  /** What arrived of a line without its end. */
  readonly line: string;
}

/** For a guest whose time is its own, so that the same commands are the same to it in every run. */
export interface AgentClientOptions {
  /** Makes a random hexadecimal number for each request. */
  readonly newId?: () => string;
  /** Of a guest that goes on from where another client had it. */
  readonly state?: AgentState;
  /** Starts a timer of milliseconds. @returns what cancels it */
  readonly timer?: (milliseconds: number, callback: () => void) => () => void;
}

function hostTimer(milliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, timerDelay(milliseconds));
  return () => clearTimeout(timer);
}

/**
 * The driver's end of the agent (artifacts/linux/agent.sh). Commands run one after the other. The guest is not trusted:
 * an answer must contain the random number of its request, and its length is limited.
 */
export class AgentClient {
  readonly #port: Duplex;
  readonly #nonce: string;
  readonly #newId: () => string;
  readonly #timer: (milliseconds: number, callback: () => void) => () => void;
  readonly #ready: Promise<void>;
  #becomeReady: () => void = () => undefined;
  #failReady: (error: PetriError) => void = () => undefined;
  #isReady = false;
  #buffer = '';
  #request: Request | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #over: string | undefined;

  /** @param nonce printed by the agent when it is ready; it comes from the kernel's command line */
  constructor(port: Duplex, nonce: string, options: AgentClientOptions = {}) {
    this.#port = port;
    this.#nonce = nonce;
    this.#newId = options.newId ?? randomId;
    this.#timer = options.timer ?? hostTimer;
    this.#ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#failReady = reject;
    });
    // The callers of `exec` receive the rejection.
    this.#ready.catch(() => undefined);
    if (options.state !== undefined) {
      this.#buffer = options.state.line;
      if (options.state.ready) this.#setReady();
    }
    port.on('data', (bytes: Buffer) => this.#push(bytes.toString('latin1')));
    port.on('error', () => undefined);
    port.on('close', () => this.end('the guest is gone'));
    port.resume();
  }

  /**
   * Runs a command with the guest's `sh`.
   *
   * @throws PetriError `wait-timeout`, `vm-halted` if the guest ends before it answers, `invalid-option` for a command
   *   that is too long
   */
  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    const text = Buffer.from(command).toString('base64');
    if (text.length > MAX_COMMAND) {
      throw new PetriError(`the command has ${command.length} characters, which is more than fits`, {
        code: 'invalid-option',
        step: 'run',
        remedy: 'put a script into the initramfs, or run it in parts',
      });
    }
    const seconds = Math.max(1, Math.ceil(timerDelay(options.timeout ?? DEFAULT_TIMEOUT * slowFactor()) / 1000));
    const run = this.#queue.then(() => this.#run({ command, text, seconds, signal: options.signal }));
    this.#queue = run.catch(() => undefined);
    return await run;
  }

  /** For a client of the guest in the state of this moment. An answer that is under way is not for that client. */
  get state(): AgentState {
    return { ready: this.#isReady, line: this.#buffer };
  }

  /** Resolves when the agent has said that it is ready. @throws PetriError `vm-halted` */
  async untilReady(): Promise<void> {
    await this.#ready;
  }

  /** Asks the guest to power off, whatever it is doing; pending `exec` calls fail. */
  powerOff(): void {
    if (this.#over === undefined) this.#port.write(`off ${this.#newId()}\n`);
  }

  /** @param why a part of a sentence */
  end(why: string): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    const error = gone(why);
    this.#failReady(error);
    this.#request?.settle(error);
  }

  async #run(wanted: {
    command: string;
    text: string;
    seconds: number;
    signal: AbortSignal | undefined;
  }): Promise<ExecResult> {
    const { command, text, seconds, signal } = wanted;
    let cancel: (() => void) | undefined;
    let onAbort: (() => void) | undefined;
    try {
      await this.#untilReady(signal);
      const outcome = await new Promise<ExecResult | PetriError>((settle) => {
        if (this.#over !== undefined) {
          settle(gone(this.#over));
          return;
        }
        const id = this.#newId();
        this.#request = { id, stdout: [], stderr: [], characters: 0, begun: false, settle };
        const limit = seconds * 1000 + ANSWER_GRACE * slowFactor();
        cancel = this.#timer(limit, () => settle(silent(command, seconds)));
        onAbort = (): void => settle(givenUp(command));
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#port.write(`exec ${id} ${seconds} ${text.length} ${text}\n`);
      });
      if (outcome instanceof PetriError) throw outcome;
      return outcome;
    } finally {
      cancel?.();
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#request = undefined;
    }
  }

  async #untilReady(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) {
      await this.#ready;
      return;
    }
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      onAbort = (): void => reject(givenUp('the start of the agent'));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
    try {
      await Promise.race([this.#ready, aborted]);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  #push(text: string): void {
    const lines = (this.#buffer + text).split('\n');
    this.#buffer = lines.pop() ?? '';
    // A line without an end is not from the agent.
    if (this.#buffer.length > MAX_LINE) this.#buffer = '';
    for (const line of lines) this.#take(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #take(line: string): void {
    if (line === `##petri ${this.#nonce} ready##`) {
      this.#setReady();
      return;
    }
    const request = this.#request;
    if (request === undefined) return;
    const [, id, rest = ''] = /^##petri ([0-9a-f]+) (.*)##$/.exec(line) ?? [];
    if (id === request.id) this.#frame(request, rest);
    else if (request.begun) this.#output(request, line);
  }

  #setReady(): void {
    this.#isReady = true;
    this.#becomeReady();
  }

  #output(request: Request, line: string): void {
    const [, stream, text = ''] = /^([oe]) ([A-Za-z0-9+/=]*)$/.exec(line) ?? [];
    if (stream === undefined) return;
    request.characters += text.length;
    if (request.characters > MAX_ANSWER) {
      request.settle(broken('its answer is longer than its own limits allow'));
      return;
    }
    (stream === 'o' ? request.stdout : request.stderr).push(text);
  }

  #frame(request: Request, text: string): void {
    if (text === 'begin') {
      request.begun = true;
      return;
    }
    if (text === 'refused') {
      request.settle(broken('the command arrived damaged'));
      return;
    }
    const [, code, stdoutBytes, stderrBytes] = /^end rc=(\d{1,3}) stdout=(\d+) stderr=(\d+)$/.exec(text) ?? [];
    if (code === undefined) return;
    const [stdout, stderr] = [request.stdout, request.stderr].map((parts) => Buffer.from(parts.join(''), 'base64'));
    if (stdout?.length !== Number(stdoutBytes) || stderr?.length !== Number(stderrBytes)) {
      request.settle(broken('output was lost on its way'));
      return;
    }
    request.settle({ stdout: stdout.toString(), stderr: stderr.toString(), exitCode: Number(code) });
  }
}

function randomId(): string {
  return randomBytes(8).toString('hex');
}

function silent(command: string, seconds: number): PetriError {
  return new PetriError(`the guest did not report within ${seconds} s how this command ended: ${command}`, {
    code: 'wait-timeout',
    step: 'run',
    remedy: 'give the command a longer `timeout`, or look at the console for what the guest is doing',
  });
}

function givenUp(command: string): PetriError {
  return new PetriError(`waiting for the guest was aborted: ${command}`, { code: 'wait-timeout', step: 'run' });
}

function gone(why: string): PetriError {
  return new PetriError(`the guest ran no command: ${why}`, {
    code: 'vm-halted',
    step: 'run',
    remedy: 'look at its console for why it ended',
  });
}

function broken(why: string): PetriError {
  return new PetriError(`the agent in the guest is unreliable: ${why}`, {
    code: 'backend-fault',
    step: 'run',
  });
}
