import { Duplex } from 'node:stream';
import {
  describeHalt,
  type ExecOptions,
  type ExecResult,
  type LaunchContext,
  type LinuxPayload,
  type VmSpec,
} from '../../../petri/contract/index.ts';
import { AgentClient, type AgentState, afterReset, kernelPanic, LastWords } from '../../../petri/kit/linux/index.ts';
import { debuggingOf } from '../debug/index.ts';
import { type BoardGuest, linuxKind } from '../guests/index.ts';
import { BoardVm, type BootExtras } from './board-vm.ts';

/** What the agent prints when it is ready: a constant, or no two boots would be the same. */
const READY = '70657472692d766d';

/** Linux on a simulated board, with an agent in the guest. */
export class LinuxVm extends BoardVm {
  #agent: AgentClient | undefined;

  /** @throws PetriError `image-invalid`, `payload-too-large` */
  static async launch({ payload, config }: VmSpec<LinuxPayload>, context: LaunchContext): Promise<LinuxVm> {
    const boards = await linuxKind.load();
    return new LinuxVm({
      config,
      context,
      debugging: debuggingOf(undefined, (message) => context.log(message)),
      make: boards.prepare(payload, config, READY),
      resume: (state, listener) => boards.resume(payload, config, state, listener),
    });
  }

  async exec(command: string, options: ExecOptions): Promise<ExecResult> {
    this.booted();
    if (this.#agent === undefined) throw new Error('a booted Linux has an agent');
    return await this.#agent.exec(command, options);
  }

  /** Asks the agent to power off. */
  override async stop(signal: AbortSignal): Promise<void> {
    const boot = this.booted();
    if (boot.loop.ended) return;
    this.#agent?.powerOff();
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([boot.halted, aborted]);
  }

  protected override extras(guest: BoardGuest, from: unknown): BootExtras {
    // Safe: it is what `save` below returned.
    const state = (from ?? { requests: 0, agent: undefined }) as LinuxState;
    const ids = new RequestNumbers(state.requests);
    const port = new AgentPort((bytes) => guest.input('agent', bytes));
    const agent = new AgentClient(port, READY, {
      newId: () => ids.next(),
      ...(state.agent === undefined ? {} : { state: state.agent }),
      timer: (ms, callback) => this.#timer(ms, callback),
    });
    const words = new LastWords();
    this.#agent = agent;
    return {
      save: () => ({ requests: ids.last, agent: agent.state }),
      leave: () => agent.end('the VM begins anew'),
      agent: (bytes) => port.push(bytes),
      printed: (bytes, { loop }) => {
        words.push(bytes);
        // With `panic=0` the kernel does not reboot, and would be silent until its budget is used up.
        const { panic } = words;
        if (panic !== undefined) loop.end(kernelPanic(panic));
      },
      // Linux that panics with `panic=-1` asks for a reset.
      explain: (halt) => {
        const reason = halt.reason === 'reset' ? afterReset(words.text) : halt;
        agent.end(`the VM halted: ${describeHalt(reason)}`);
        return reason;
      },
    };
  }

  #timer(milliseconds: number, callback: () => void): () => void {
    const timer = this.guestTimer(milliseconds, callback);
    return () => timer.cancel();
  }
}

/** Our end of the agent's port. */
class AgentPort extends Duplex {
  readonly #send: (bytes: Uint8Array) => void;

  constructor(send: (bytes: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  override _read(): void {
    return undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#send(Uint8Array.from(chunk));
    done();
  }
}

/** What is known of the agent in a guest. */
interface LinuxState {
  /** The last number of a request. */
  readonly requests: number;
  readonly agent: AgentState | undefined;
}

/** Numbers of requests: the port is the guest's alone, and the same commands are to be the same in every run. */
class RequestNumbers {
  last: number;

  constructor(last: number) {
    this.last = last;
  }

  next(): string {
    this.last += 1;
    return this.last.toString(16).padStart(16, '0');
  }
}
