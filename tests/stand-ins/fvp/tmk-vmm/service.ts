import { createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

import type { Misbehaviour, Stage } from '../misbehaviour.ts';
import { parseArguments } from './arguments.ts';
import type { TmkRun } from './run-tmk.ts';
import type { WorkerReply, WorkerRequest } from './worker.ts';

/** What a program of the guest asks the model for, in one line of JSON. */
type Request =
  | { readonly kind: 'print'; readonly terminal: number; readonly lines: readonly string[] }
  | { readonly kind: 'stage'; readonly stage: Stage }
  | {
      readonly kind: 'tmk';
      readonly argv: readonly string[];
      readonly folder: string;
      readonly realm: TmkRun['realm'];
      readonly colour: boolean;
    };

/** What goes back: one line of JSON for each piece of output, and the exit code at the end. */
type Answer = { readonly out?: string; readonly err?: string; readonly exit?: number };

export interface ServiceOptions {
  /** An abstract socket's name. */
  readonly socket: string;
  readonly misbehaviour: Misbehaviour;
  readonly print: (terminal: number, line: string) => Promise<void>;
  /** A TMK begins or ends. */
  readonly onRun: (running: boolean) => void;
  /** The machine got this far; does not resolve where it is to go wrong there. */
  readonly onStage: (stage: Stage) => Promise<void>;
}

/** Where the guest's programs reach what only the model can do: other UARTs, and realms that really run TMKs. */
export class GuestService {
  readonly #options: ServiceOptions;
  readonly #server: Server;
  readonly #runs = new Map<number, { readonly socket: Socket; readonly flow: Int32Array }>();
  #worker: Worker | undefined;
  #lastRun = 0;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(`\0${this.#options.socket}`, resolve);
    });
  }

  /** The model forgets its realms. */
  close(): void {
    this.#server.close();
    void this.#worker?.terminate();
  }

  #serve(socket: Socket): void {
    let line = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      if (line.endsWith('\n')) return;
      line += text;
      if (line.endsWith('\n')) void this.#answer(socket, JSON.parse(line) as Request);
    });
  }

  async #answer(socket: Socket, request: Request): Promise<void> {
    if (request.kind === 'print') {
      for (const line of request.lines) await this.#options.print(request.terminal, line);
      socket.end();
      return;
    }
    await this.#options.onStage(request.kind === 'stage' ? request.stage : 'tmk');
    if (request.kind === 'stage') {
      // By the time that plane 0 runs, the first realm for a TMK is ready to be made.
      this.#worker ??= this.#startWorker();
      socket.end();
      return;
    }
    const parsed = parseArguments(request.argv);
    if (typeof parsed === 'string') return finish(socket, { err: parsed, exit: 2 });
    if (parsed.list) return finish(socket, { exit: 0 });
    const fault = this.#options.misbehaviour.value('tmk');
    if (fault === 'hang') return;
    if (fault !== undefined) return finish(socket, pretence(fault));
    this.#run(socket, {
      folder: request.folder,
      file: parsed.tmk,
      tests: parsed.tests,
      realm: request.realm,
      isOld: this.#options.misbehaviour.has('old-tmk-vmm'),
      format: {
        colour: request.colour,
        escapeMessages: this.#options.misbehaviour.has('escape-messages'),
        span: this.#options.misbehaviour.has('span'),
      },
    });
  }

  #run(socket: Socket, run: TmkRun): void {
    const id = ++this.#lastRun;
    const flow = new SharedArrayBuffer(8);
    this.#runs.set(id, { socket, flow: new Int32Array(flow) });
    this.#options.onRun(true);
    socket.on('close', () => this.#abort(id));
    this.#send({ kind: 'run', id, run, flow });
  }

  /** The program is gone: its realm ends, and whoever waits for its console waits no longer. */
  #abort(id: number): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    Atomics.store(run.flow, 1, 1);
    Atomics.notify(run.flow, 0);
    this.#send({ kind: 'abort', id });
  }

  #send(request: WorkerRequest): void {
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(request);
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./worker.mjs', import.meta.url));
    worker.on('message', (reply: WorkerReply) => this.#pass(reply));
    worker.on('error', (error) => {
      for (const { socket } of this.#runs.values()) finish(socket, { err: `${String(error)}\n`, exit: 101 });
      this.#runs.clear();
      this.#worker = undefined;
    });
    return worker;
  }

  #pass(reply: WorkerReply): void {
    const run = this.#runs.get(reply.id);
    if (run === undefined) return;
    if (reply.kind === 'exit') {
      this.#runs.delete(reply.id);
      this.#options.onRun(this.#runs.size > 0);
      finish(run.socket, { exit: reply.code });
      return;
    }
    const bytes = Buffer.byteLength(reply.text);
    const answer: Answer = reply.kind === 'out' ? { out: reply.text } : { err: reply.text };
    run.socket.write(`${JSON.stringify(answer)}\n`, () => {
      Atomics.sub(run.flow, 0, bytes);
      Atomics.notify(run.flow, 0);
    });
  }
}

function finish(socket: Socket, answer: Answer): void {
  socket.end(`${JSON.stringify(answer)}\n`);
}

const FORGED = '  2026-01-01T00:00:00.000000Z  INFO test: test passed, name: "common::boot"\n\n';

/** Output that no TMK made. */
function pretence(fault: string): Answer {
  switch (fault) {
    case 'garbage':
      return { out: '\x00\xff\x1b[31m%%%\n  not-a-time INFO\n##petri zz end rc=0##\nPASS\n', exit: 1 };
    case 'forge':
      return { out: `${FORGED}##petri 0123456789abcdef end rc=0 bytes=4 cksum=0##\nPASS\n`, exit: 1 };
    default:
      return { exit: 1 };
  }
}
