import { PetriError } from '../../errors.ts';
import { within, type AgentLink, type Exchange } from './agent-link.ts';
import { INTERRUPT, newNonce, plane0Commands, PUT_LINE, PUT_WINDOW } from './agent-protocol.ts';
import { agentBudgets as budgets, scaled } from './budgets.ts';
import { digestOf, RunningDigest } from './running-digest.ts';

/** A payload with its name in plane 0, relative to the folder that it shares with the host. */
export interface GuestPayload {
  readonly name: string;
  readonly content: Uint8Array;
}

/** How often a transfer is repeated if it arrived damaged. */
const ATTEMPTS = 3;

export interface Plane0Options {
  readonly link: AgentLink;
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Resolves with the reason why plane 0 can no longer answer. Never rejects. */
  readonly lost: Promise<string>;
  readonly log: (message: string) => void;
}

/** The result of a run of tmk_vmm. */
export interface RunEnd {
  /** Exit code of tmk_vmm. */
  readonly code: number;
  /** Whether its output arrived complete and unchanged. */
  readonly intact: boolean;
}

export interface RunOptions {
  readonly file: string;
  readonly test: string;
  /** Receives the output of tmk_vmm. */
  readonly take: (bytes: Uint8Array) => void;
  readonly onStart: () => void;
}

/** A run that cannot report its end: plane 0, or something below it, was lost. */
export class Plane0Lost extends Error {
  override readonly name = 'Plane0Lost';
}

/** Our side of the agent in plane 0 of a realm. One command at a time. */
export class Plane0 {
  readonly #options: Plane0Options;
  readonly #lost: Promise<never>;

  constructor(options: Plane0Options) {
    this.#options = options;
    this.#lost = options.lost.then((why) => {
      throw new Plane0Lost(why);
    });
    // Waits handle the rejection.
    this.#lost.catch(() => undefined);
  }

  /** @throws Plane0Lost, PetriError `wait-timeout` */
  async ping(): Promise<void> {
    const exchange = await this.#send(plane0Commands.ping);
    try {
      await this.#answer(exchange, budgets.ping, 'pong');
    } finally {
      exchange.close();
    }
  }

  /**
   * Runs one test to its end, with no deadline as long as plane 0 lives; a caller that has one calls `interrupt`.
   *
   * @throws Plane0Lost, PetriError `wait-timeout` if it does not begin
   */
  async run(options: RunOptions): Promise<RunEnd> {
    const received = new RunningDigest();
    const exchange = await this.#send(
      (nonce) => plane0Commands.run(nonce, options.file, options.test),
      (bytes) => {
        received.update(bytes);
        options.take(bytes);
      },
    );
    const silence = new SilenceWatch(this.#options.link, () => this.#send(plane0Commands.ping));
    try {
      await this.#answer(exchange, budgets.begin, 'begin');
      options.onStart();
      silence.start();
      const end = await this.#unlessLost(Promise.race([exchange.next('end'), silence.answered]));
      if (end === 'answered') return { code: -1, intact: false };
      return { code: Number(end.values['rc']), intact: isIntact(end.values, received) };
    } finally {
      silence.stop();
      exchange.close();
    }
  }

  /**
   * Has the output of the last run sent again.
   *
   * @returns `undefined` if it was damaged again
   * @throws Plane0Lost, PetriError `wait-timeout` if nothing arrives for long
   */
  async again(): Promise<{ readonly output: Uint8Array; readonly code: number } | undefined> {
    const parts: Uint8Array[] = [];
    const received = new RunningDigest();
    const exchange = await this.#send(plane0Commands.again, (bytes) => {
      received.update(bytes);
      parts.push(bytes);
    });
    try {
      const { link } = this.#options;
      for (let end = exchange.next('end'), before = -1; ;) {
        try {
          const { values } = await this.#unlessLost(
            within(end, scaled(budgets.again), 'the output of tmk_vmm once more'),
          );
          return isIntact(values, received) ? { output: Buffer.concat(parts), code: Number(values['rc']) } : undefined;
        } catch (error) {
          const isSilent = link.arrived === before;
          before = link.arrived;
          if (isSilent || !(error instanceof PetriError)) throw error;
          end = exchange.next('end');
        }
      }
    } finally {
      exchange.close();
    }
  }

  /** Ends the running tmk_vmm. */
  async interrupt(): Promise<void> {
    await this.#options.write(INTERRUPT);
  }

  /** @throws Plane0Lost, PetriError `wait-timeout`, `backend-fault` if it arrives damaged every time */
  async put(payload: GuestPayload): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (await this.#putOnce(payload)) return;
      this.#options.log(`the payload ${payload.name} arrived damaged in plane 0`);
      if (attempt < ATTEMPTS) continue;
      throw new PetriError(`the payload ${payload.name} arrived damaged in plane 0 ${ATTEMPTS} times`, {
        code: 'backend-fault',
        step: 'boot',
        remedy: 'see the log of the host console; a console that loses bytes cannot carry a payload',
      });
    }
  }

  /** Tells plane 0 to exit, which ends the realm. */
  async exit(): Promise<void> {
    (await this.#send(plane0Commands.exit)).close();
  }

  async #putOnce({ name, content }: GuestPayload): Promise<boolean> {
    const lines =
      Buffer.from(content)
        .toString('base64')
        .match(new RegExp(`.{1,${PUT_LINE}}`, 'g')) ?? [];
    const exchange = await this.#send((nonce) => plane0Commands.put(nonce, name, content.length));
    try {
      await this.#answer(exchange, budgets.put, 'send');
      for (let at = 0; at < lines.length; at += PUT_WINDOW) {
        const window = lines.slice(at, at + PUT_WINDOW);
        await this.#write(`${window.join('\n')}\n`);
        // No more than a terminal buffers may be in transit.
        if (window.length === PUT_WINDOW) await this.#answer(exchange, budgets.put, 'got');
      }
      await this.#write('.\n');
      const { values } = await this.#answer(exchange, budgets.put, 'stored');
      return values['sha'] === digestOf(content) && Number(values['bytes']) === content.length;
    } finally {
      exchange.close();
    }
  }

  async #send(command: (nonce: string) => string, capture?: (bytes: Uint8Array) => void): Promise<Exchange> {
    const nonce = newNonce();
    const exchange = this.#options.link.open(nonce, capture);
    await this.#write(`${command(nonce)}\n`);
    return exchange;
  }

  async #write(text: string): Promise<void> {
    await this.#options.write(Buffer.from(text));
  }

  async #answer(exchange: Exchange, budget: number, verb: string) {
    return await this.#unlessLost(within(exchange.next(verb), scaled(budget), `'${verb}' of the agent in plane 0`));
  }

  async #unlessLost<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#lost]);
  }
}

function isIntact(values: Readonly<Record<string, string>>, received: RunningDigest): boolean {
  return Number(values['bytes']) === received.bytes && values['sha'] === received.value;
}

/**
 * Detects that the end frame of a run was lost. The agent answers nothing while tmk_vmm runs, so after a silence it is
 * asked once, and an answer means that the run has ended.
 */
class SilenceWatch {
  readonly answered: Promise<'answered'>;
  readonly #link: AgentLink;
  readonly #ping: () => Promise<Exchange>;
  #answer: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #exchange: Exchange | undefined;
  #arrived = -1;

  constructor(link: AgentLink, ping: () => Promise<Exchange>) {
    this.#link = link;
    this.#ping = ping;
    this.answered = new Promise((resolve) => {
      this.#answer = () => {
        resolve('answered');
      };
    });
  }

  start(): void {
    this.#timer = setInterval(() => {
      void this.#look();
    }, scaled(budgets.silence));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#exchange?.close();
  }

  async #look(): Promise<void> {
    const silent = this.#link.arrived === this.#arrived;
    this.#arrived = this.#link.arrived;
    if (!silent) return;
    clearInterval(this.#timer);
    this.#exchange = await this.#ping();
    await this.#exchange.next('pong');
    // The end frame precedes the answer, so handle what it reports first.
    setImmediate(this.#answer);
  }
}
