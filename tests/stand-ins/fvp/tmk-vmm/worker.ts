import { parentPort } from 'node:worker_threads';

import { runTmk, type TmkRun } from './run-tmk.ts';

/** What the model asks for. */
export type WorkerRequest =
  | { readonly kind: 'run'; readonly id: number; readonly run: TmkRun; readonly flow: SharedArrayBuffer }
  | { readonly kind: 'abort'; readonly id: number };

export type WorkerReply =
  | { readonly kind: 'out' | 'err'; readonly id: number; readonly text: string }
  | { readonly kind: 'exit'; readonly id: number; readonly code: number };

/** Bytes that the console may be behind before the guest has to wait. */
const IN_FLIGHT = 256 * 1024;

const port = parentPort;
if (port === null) throw new Error('this is a worker of the model');
const running = new Map<number, AbortController>();

port.on('message', (request: WorkerRequest) => {
  if (request.kind === 'abort') running.get(request.id)?.abort();
  else void start(request.id, request.run, new Int32Array(request.flow));
});

async function start(id: number, run: TmkRun, flow: Int32Array): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const send = (reply: WorkerReply): void => port?.postMessage(reply);
  // The guest's processor stands still while the console is behind, as it does where a write to a full terminal blocks.
  const say = (kind: 'out' | 'err', text: string): void => {
    if (Atomics.load(flow, 1) !== 0) return;
    const bytes = Buffer.byteLength(text);
    let inFlight = Atomics.add(flow, 0, bytes) + bytes;
    send({ kind, id, text });
    while (inFlight > IN_FLIGHT && Atomics.load(flow, 1) === 0) {
      Atomics.wait(flow, 0, inFlight, 1000);
      inFlight = Atomics.load(flow, 0);
    }
  };
  let code = 101;
  try {
    code = await runTmk(run, {
      out: (text) => say('out', text),
      err: (text) => say('err', text),
      signal: controller.signal,
    });
  } catch (error) {
    say('err', `thread 'main' panicked at tmk/tmk_vmm/src/main.rs: ${String(error)}\n`);
  }
  running.delete(id);
  send({ kind: 'exit', id, code });
}
