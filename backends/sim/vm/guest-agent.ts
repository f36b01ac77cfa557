import { Duplex } from 'node:stream';

import { AgentClient, type AgentState } from '../../../petri/kit/linux/index.ts';
import type { BoardGuest } from '../guests/index.ts';

/** What the agent prints when it is ready: a constant, or no two boots would be the same. */
export const READY = '70657472692d766d';

/** What is known of the agent in a guest: plain data. */
interface KnownAgent {
  /** The last number of a request. */
  readonly requests: number;
  readonly agent: AgentState | undefined;
}

/** The agent in a guest, seen from its board. */
export class GuestAgent {
  readonly client: AgentClient;
  readonly #port: AgentPort;
  readonly #numbers: RequestNumbers;

  /** @param known what `save` returned, of a guest that goes on from there */
  constructor(
    guest: () => BoardGuest | undefined,
    timer: (milliseconds: number, callback: () => void) => () => void,
    known: unknown,
  ) {
    // Safe: it is what `save` returned.
    const { requests, agent } = (known ?? { requests: 0, agent: undefined }) as KnownAgent;
    const numbers = new RequestNumbers(requests);
    this.#numbers = numbers;
    this.#port = new AgentPort((bytes) => guest()?.input('agent', bytes));
    this.client = new AgentClient(this.#port, READY, {
      newId: () => numbers.next(),
      ...(agent === undefined ? {} : { state: agent }),
      timer,
    });
  }

  /** What the guest writes to the agent's port. */
  push(bytes: Uint8Array): void {
    this.#port.push(bytes);
  }

  save(): KnownAgent {
    return { requests: this.#numbers.last, agent: this.client.state };
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
