import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('FVP_Base_RevC-2xAEMvA', import.meta.url));

/** A text that grows, and those who wait for something in it. */
class Growing {
  text = '';
  #changed: (() => void)[] = [];

  append(more: string): void {
    this.text += more;
    const changed = this.#changed;
    this.#changed = [];
    for (const wake of changed) wake();
  }

  /** The test's own deadline ends the wait. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }
}

/** A client of one terminal. Bytes are shown as latin1. */
export class TerminalClient extends Growing {
  readonly socket: Socket;
  /** Resolves however the connection ends: a model that ends before it takes a client resets the connection. */
  readonly closed: Promise<void>;

  constructor(port: number) {
    super();
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => this.socket.destroy());
    this.socket.setEncoding('latin1').on('data', (text: string) => this.append(text));
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }
}

/** A model that a test started. */
export class RunningModel extends Growing {
  readonly process: ChildProcess;
  /** Code, or name of the signal. */
  readonly exit: Promise<number | string>;

  constructor(args: readonly string[], faults = '') {
    super();
    this.process = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, PETRI_STAND_IN: faults },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.append(text));
    }
    this.exit = new Promise((resolve) => {
      this.process.on('close', (code, signal) => resolve(signal ?? code ?? -1));
    });
  }

  async port(terminal: number): Promise<number> {
    const [, port] = await this.waitFor(new RegExp(`terminal_${terminal}: (?:Listening .*|port )?port (\\d+)\\n`));
    return Number(port);
  }

  async terminal(index: number): Promise<TerminalClient> {
    return new TerminalClient(await this.port(index));
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL');
  }
}

/** `-C` options. */
export function parameters(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-C', `${name}=${value}`]);
}
