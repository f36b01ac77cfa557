import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

import type { Misbehaviour, Stage } from '../misbehaviour.ts';
import { GuestService } from '../tmk-vmm/service.ts';
import { bootTexts, crashTexts, shutdownTexts } from './boot-texts.ts';
import type { ModelCommandLine } from './command-line.ts';
import { Guest } from './guest.ts';
import { statistics, type Generation, type ModelOutput } from './model-output.ts';
import { Terminal } from './terminal.ts';
import { Worlds } from './worlds.ts';

const TERMINALS = [0, 1, 2, 3];
const DEFAULT_PORT = 5000;

/** Bytes of a UART that wait for a reader before the model stands still. */
const UART_BUFFER = 64 * 1024;

const ABORTED = 134;

/** The machine: four UARTs with a world behind each, and a host Linux that runs what its disk says. */
export class Model {
  readonly #command: ModelCommandLine;
  readonly #misbehaviour: Misbehaviour;
  readonly #output: ModelOutput;
  readonly #terminals: (Terminal | undefined)[] = [];
  readonly #worlds: Worlds;
  readonly #started = performance.now();
  #guest: Guest | undefined;
  #service: GuestService | undefined;
  #runsTmk = false;
  #ending = false;

  constructor(command: ModelCommandLine, misbehaviour: Misbehaviour, output: ModelOutput) {
    this.#command = command;
    this.#misbehaviour = misbehaviour;
    this.#output = output;
    this.#worlds = new Worlds(this.#terminals, misbehaviour);
  }

  async run(): Promise<void> {
    await this.#reach('model');
    if (this.#misbehaviour.has('orphan')) this.#leaveOrphan();
    await this.#openTerminals();
    await this.#reach('ports');
    this.#loadFlash();
    await this.#forwardPorts();
    // A debugger is to start the model, and none comes.
    if (this.#command.debugServer && !this.#command.run) return;
    void this.#flood();
    for (const { stage, terminal, lines } of bootTexts) {
      await this.#reach(stage, lines);
      for (const line of lines) await this.#print(terminal, line);
    }
    await this.#reach('host-agent');
    await this.#startGuest();
  }

  /** SYS_CFG shutdown: what PSCI SYSTEM_OFF does with exit_on_shutdown=1. */
  async powerOff(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    for (const { terminal, lines } of shutdownTexts) {
      for (const line of lines) await this.#print(terminal, line);
    }
    this.#guest?.kill();
    this.#service?.close();
    for (const terminal of this.#terminals) await terminal?.close();
    this.#output.print('\nInfo: /OSCI/SystemC: Simulation stopped by user.\n');
    if (this.#command.statistics) this.#output.print(statistics((performance.now() - this.#started) / 1000));
    if (this.#misbehaviour.has('abort')) this.#output.print('corrupted size vs. prev_size\n');
    this.exit(this.#misbehaviour.has('abort') ? ABORTED : 0);
  }

  /** Dies of a signal, and what runs in it with it. */
  die(signal: NodeJS.Signals): void {
    this.#guest?.kill();
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }

  /** Ends at once, as a program that gives up. */
  exit(code: number): never {
    this.#guest?.kill();
    this.#output.flush();
    process.exit(code);
  }

  #parameter(name: string): string | undefined {
    return this.#command.parameters.get(name);
  }

  /** Goes on, or goes wrong if this is where it is to. @param lines what would be printed next */
  async #reach(stage: Stage, lines: readonly string[] = []): Promise<void> {
    const code = this.#misbehaviour.exitAt(stage);
    if (code !== undefined) this.exit(code);
    if (this.#misbehaviour.at('cut', stage)) {
      this.#terminals[0]?.write(Buffer.from((lines[0] ?? '[    1.2').slice(0, 12)));
      this.#terminals[0]?.disconnect();
      await forever();
    }
    if (this.#misbehaviour.at('crash', stage)) {
      const text = crashTexts[stage];
      for (const line of text?.lines ?? []) await this.#print(text?.terminal ?? 0, line);
      await forever();
    }
    if (this.#misbehaviour.at('hang', stage)) await forever();
  }

  async #openTerminals(): Promise<void> {
    const missing = this.#misbehaviour.number('no-terminal');
    for (const index of TERMINALS) {
      if (index === missing) {
        this.#terminals.push(undefined);
        continue;
      }
      const terminal = new Terminal({
        index,
        mode: this.#parameter(`bp.terminal_${index}.mode`) === 'raw' ? 'raw' : 'telnet',
        startPort: Number(this.#parameter(`bp.terminal_${index}.start_port`) ?? DEFAULT_PORT),
        buffer: this.#misbehaviour.number('buffer-bytes') ?? UART_BUFFER,
      });
      this.#terminals.push(terminal);
      const port = await terminal.listen();
      if (this.#parameter(`bp.terminal_${index}.quiet`) !== '1') {
        this.#output.info(`terminal_${index}: Listening for serial connection on port ${port}`);
      }
      this.#startTerminalCommand(index, port);
      this.#makeOutFile(index);
    }
    const [host] = this.#terminals;
    if (host !== undefined) host.onInput = (bytes) => this.#guest?.type(bytes);
  }

  #startTerminalCommand(index: number, port: number): void {
    const command = this.#parameter(`bp.terminal_${index}.terminal_command`) ?? '';
    if (this.#parameter(`bp.terminal_${index}.start_telnet`) !== '1' || command === '') return;
    this.#output.flush();
    spawn('/bin/sh', ['-c', command.replaceAll('%port', String(port))], { stdio: ['ignore', 'inherit', 'inherit'] });
  }

  #makeOutFile(index: number): void {
    const file = this.#parameter(`bp.pl011_uart${index}.out_file`);
    if (file !== undefined && file !== '' && file !== '-') writeFileSync(file, '');
  }

  #loadFlash(): void {
    if (this.#parameter('bp.flashloader1.fname') === '') {
      this.#output.warning(
        'FVP_Base_RevC_2xAEMvA.bp.flashloader1: FlashLoader: fname parameter is empty. Nothing loaded.',
      );
    }
    for (const loader of ['flashloader0', 'secureflashloader']) {
      const file = this.#parameter(`bp.${loader}.fname`);
      if (file === undefined || file === '') continue;
      this.#requireFile(`bp.${loader}.fname`, file);
      const size = Math.ceil(statSync(file).size / 1024);
      this.#output.info(`FVP_Base_RevC_2xAEMvA.bp.${loader}: FlashLoader: Loaded ${size} kB from file '${file}'`);
    }
    const image = this.#parameter('bp.virtioblockdevice.image_path');
    if (image !== undefined && image !== '') this.#requireFile('bp.virtioblockdevice.image_path', image);
  }

  #requireFile(parameter: string, file: string): void {
    if (existsSync(file)) return;
    this.#output.print(`\nError: FVP_Base_RevC_2xAEMvA: ${parameter}: could not open file '${file}'\n`);
    this.exit(1);
  }

  /** User networking: each forwarded port, or the next one that is free. */
  async #forwardPorts(): Promise<void> {
    if (this.#parameter('bp.hostbridge.userNetworking') !== '1') return;
    const forwards = (this.#parameter('bp.hostbridge.userNetPorts') ?? '').split(',').filter((item) => item !== '');
    for (const forward of forwards) {
      const wanted = Number(forward.replace(/^.*:/, '').split('=')[0]);
      if (await bind(wanted)) continue;
      this.#output.warning(`bp.hostbridge: Unable to bind to port '${wanted}'`);
      let port = wanted + 1;
      while (!(await bind(port))) port++;
      this.#output.info(`bp.hostbridge: ...binding to port ${port} instead`);
    }
  }

  async #print(index: number, line: string): Promise<void> {
    this.#copy(index, `${line}\r\n`);
    await this.#worlds.print(index, line);
  }

  #copy(index: number, text: string | Uint8Array): void {
    const file = this.#parameter(`bp.pl011_uart${index}.out_file`);
    if (file === undefined || file === '') return;
    if (file === '-') this.#output.print(text.toString());
    else appendFileSync(file, text);
  }

  async #startGuest(): Promise<void> {
    const image = this.#parameter('bp.virtioblockdevice.image_path') ?? '';
    if (image === '') {
      for (const line of crashTexts['host-kernel']?.lines ?? []) await this.#print(0, line);
      return;
    }
    const socket = `petri-stand-in-${process.pid}-${randomBytes(4).toString('hex')}`;
    this.#service = new GuestService({
      socket,
      misbehaviour: this.#misbehaviour,
      print: (terminal, line) => this.#print(terminal, line),
      onRun: (running) => {
        this.#runsTmk = running;
      },
      onStage: (stage) => this.#reach(stage),
    });
    await this.#service.listen();
    this.#guest = new Guest({ image, socket, misbehaviour: this.#misbehaviour });
    this.#guest.start(async (bytes) => {
      this.#copy(0, bytes);
      await this.#worlds.guestOutput(bytes, this.#runsTmk);
    });
  }

  /** A world that prints without end, or as much as it was told to. */
  async #flood(): Promise<void> {
    const terminal = this.#misbehaviour.number('flood');
    if (terminal === undefined) return;
    const line = 'WARNING: this world has a lot to say, and says it again and again.'.padEnd(254, '.');
    let left = this.#misbehaviour.number('flood-bytes') ?? Number.POSITIVE_INFINITY;
    for (; left > 0; left -= line.length + 2) {
      await this.#worlds.print(terminal, line);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A process in a session of its own that outlives the model. */
  #leaveOrphan(): void {
    spawn('/bin/sh', ['-c', "trap '' TERM HUP; exec sleep 600"], { detached: true, stdio: 'ignore' }).unref();
  }
}

export function generationOf(misbehaviour: Misbehaviour): Generation {
  const generation = misbehaviour.number('generation');
  return generation === 1 || generation === 3 ? generation : 2;
}

/** Nothing is behind the port: no test needs the guest's network. */
function bind(port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
