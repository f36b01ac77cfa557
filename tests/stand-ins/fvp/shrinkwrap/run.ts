import { execFileSync, spawn } from 'node:child_process';
import { fstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { readMisbehaviour } from '../misbehaviour.ts';
import { TelnetInput } from '../model/telnet.ts';
import { loadRun, packageFolder, runScript, type RunConfig, type TerminalConfig } from './config.ts';
import { Multiplexer, writeOut } from './multiplexer.ts';

const MAX_TAG = 10;

/** Types of terminals that the tool connects to; it leaves those that it does not know alone. */
const connected: ReadonlySet<string | null> = new Set(['stdout', 'stdinout', 'null', null]);

export interface RunOptions {
  readonly config: string;
  readonly overlays: readonly string[];
  readonly rtvars: ReadonlyMap<string, string>;
  readonly dryRun: boolean;
  /** `null`, or that of containers. */
  readonly runtime: string;
  readonly colour: boolean;
}

interface Attached {
  readonly name: string;
  readonly terminal: TerminalConfig;
  port?: number;
}

/** `shrinkwrap run`. @returns its exit code @throws Error what it prints with the name of its class */
export async function run(options: RunOptions): Promise<number> {
  const config = loadRun(options.config, options.overlays, options.rtvars);
  const script = runScript(options.config, config);
  if (options.dryRun) {
    writeOut(`${script}\n`);
    return 0;
  }
  const folder = mkdtempSync(join(packageFolder(), 'tmp'));
  const file = join(folder, 'script.sh');
  writeFileSync(file, script);
  writeOut(
    "\nPress '^]' to quit shrinkwrap.\nAll other keys are passed through.\nEnvironment ip address: 127.0.0.1.\n\n",
  );
  try {
    return await new Session(config, options.colour).run(startScript(options.runtime, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command that runs the script: in a container, which nobody ends when this program is killed. */
function startScript(runtime: string, file: string): readonly [command: string, ...args: string[]] {
  if (runtime === 'null') return ['bash', file];
  const command = runtime.replace(/-local$/, '');
  const more = process.env[`TUXMAKE_${command.toUpperCase()}_RUN`] ?? '';
  const id = execFileSync(
    command,
    ['run', '--rm', '--init', '--detach', '--network=host', ...more.split(' ').filter(Boolean), 'image', 'sleep', '1d'],
    { encoding: 'utf8' },
  ).trim();
  process.on('exit', () => execFileSync(command, ['stop', id]));
  return [command, 'exec', id, 'bash', file];
}

/** One run of the model, with a client for each terminal. */
class Session {
  readonly #terminals: Attached[];
  readonly #output: Multiplexer;
  readonly #colour: boolean;
  #stdin: Socket | undefined;

  constructor(config: RunConfig, colour: boolean) {
    this.#terminals = Object.entries(config.terminals)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, terminal]) => ({ name, terminal }));
    this.#output = new Multiplexer(
      Math.min(MAX_TAG, Math.max(0, ...this.#terminals.map(({ terminal }) => terminal.friendly.length))),
    );
    this.#colour = colour;
  }

  async run([command, ...args]: readonly [command: string, ...args: string[]]): Promise<number> {
    this.#refuseFiles();
    const model = this.#output.source('fvp', { colour: this.#colour });
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let attached = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output.log(model, text);
        if (attached) return;
        attached = this.#findPorts(text);
        if (attached) this.#attach();
      });
    }
    process.stdin.on('data', (bytes: Buffer) => this.#stdin?.write(bytes));
    if (readMisbehaviour(process.env).value('shrinkwrap') === 'busy') process.stdin.on('end', spin);
    // Python's handler raises in the middle of what it does: the script is killed, and then it waits for the model to
    // close its pipe.
    const interrupted = new AbortController();
    process.on('SIGINT', () => {
      interrupted.abort();
      child.kill('SIGKILL');
    });
    const code = await new Promise<number>((resolve) => {
      child.on('close', (status, signal) => resolve(status ?? (signal === null ? 0 : -1)));
    });
    process.stdin.destroy();
    if (interrupted.signal.aborted) throw new Error('KeyboardInterrupt: ');
    if (code !== 0) throw new Error(`Exception: FVP failed with ${code}`);
    return 0;
  }

  /** epoll takes no regular file and no /dev/null. */
  #refuseFiles(): void {
    const stdin = fstatSync(0);
    const isDevice = stdin.isCharacterDevice() && !process.stdin.isTTY;
    if (!stdin.isFile() && !isDevice) return;
    throw new Error(`KeyError: "<_io.FileIO name=0 mode='rb' closefd=False> is not registered"`);
  }

  /** As it comes: a port whose line is cut is never found. */
  #findPorts(text: string): boolean {
    for (const attached of this.#terminals) {
      if (attached.port !== undefined) continue;
      const match = new RegExp(attached.terminal.port_regex ?? '').exec(text);
      if (match !== null) attached.port = Number(match[1]);
    }
    return this.#terminals.every(({ port }) => port !== undefined);
  }

  #attach(): void {
    for (const { terminal, port } of this.#terminals) {
      if (port === undefined || !connected.has(terminal.type)) continue;
      const isTelnet = terminal.type === 'stdinout';
      const source = this.#output.source(terminal.friendly, {
        colour: this.#colour && terminal.no_color !== true,
        stripsEscapes: terminal.no_escapes === true,
      });
      const client = connect(port, '127.0.0.1');
      const telnet = new TelnetInput();
      client.on('error', () => client.destroy());
      client.on('data', (bytes) => {
        if (terminal.type === null || terminal.type === 'null') return;
        this.#output.log(source, Buffer.from(isTelnet ? telnet.data(bytes) : bytes).toString('utf8'));
      });
      if (!isTelnet) continue;
      this.#stdin = client;
      client.on('close', () => this.#output.log(source, 'Connection closed by foreign host.\n'));
    }
  }
}

/** Selecting on a closed pipe returns at once, every time. */
function spin(): void {
  setImmediate(spin);
}
