import { randomBytes } from 'node:crypto';

import type { ClientChannel } from 'ssh2';

import { PetriError } from '../../../petri/errors.ts';
import { shellCommand } from '../ssh/quote.ts';
import type { RemoteHost } from '../ssh/remote-host.ts';
import type { HostFolder } from './host-folder.ts';
import { InputQueue } from './input-queue.ts';
import { lineReader } from './lines.ts';

export interface LaunchOptions {
  /** The program and its arguments. `folder` is the launch's own folder, which it may write to. */
  readonly argv: (folder: string) => readonly string[];
  /** Variables for the program alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it runs on a terminal. */
  readonly terminal?: boolean;
  /** Seconds from SIGTERM to SIGKILL. @default 3 */
  readonly grace?: number;
  /** Receives its output from the first byte on; each byte once, even if connections broke. */
  readonly output: (bytes: Uint8Array) => void;
  /** Files in the folder that it writes, with receivers of their content. Names in lower-case letters. */
  readonly files?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /**
   * Additional bidirectional streams, with receivers of their output: FIFOs `NAME.in` and `NAME.out` in the folder, as
   * QEMU's `-chardev pipe` opens them. The output limit includes them. Names in lower-case letters.
   */
  readonly ports?: Readonly<Record<string, (bytes: Uint8Array) => void>>;
  /** File on the host without which it must not run: the lease. */
  readonly lease?: string | undefined;
  /** Initial input: a file on the host, and its size. */
  readonly input?: { readonly path: string; readonly size: number };
  /** A line for the VM's log. */
  readonly log: (message: string) => void;
}

/** Name of the file for the program's own input. */
const INPUT = 'in';

const endReasons = ['stopped', 'output-limit', 'disk-full', 'expired', 'lease-lost'] as const;
type EndReason = (typeof endReasons)[number];

/**
 * How a launch ended: the program exited by itself or on request (`code` as reported by a shell: 128 plus the signal
 * number); the host ended it because of too much output or missing heartbeats; or unknown.
 */
export type LaunchEnd =
  { readonly kind: 'exited' | EndReason; readonly code: number } | { readonly kind: 'lost'; readonly message: string };

interface FollowedFile {
  readonly take: (bytes: Uint8Array) => void;
  size: number;
  channel: ClientChannel | undefined;
}

/** A program that runs on a host, independently of the connection to it. */
export class RemoteLaunch {
  /** Resolves when all of its output has been received. Never rejects. */
  readonly ended: Promise<LaunchEnd>;
  readonly folder: string;
  readonly #host: RemoteHost;
  readonly #script: string;
  readonly #log: (message: string) => void;
  readonly #files = new Map<string, FollowedFile>();
  /** By name of the port; that of the launcher's own input is INPUT. */
  readonly #inputs: ReadonlyMap<string, InputQueue>;
  #attendant: ClientChannel | undefined;
  #reason: 'exited' | EndReason = 'exited';
  /** How the program ended, and the sizes of its files. */
  #exit: { readonly code: number; readonly sizes: ReadonlyMap<string, number> } | undefined;
  #stopping = false;
  #over = false;
  #end: (end: LaunchEnd) => void = () => undefined;

  private constructor(host: RemoteHost, script: string, folder: string, options: LaunchOptions) {
    this.#host = host;
    this.#script = script;
    this.folder = folder;
    this.#log = options.log;
    this.#inputs = new Map([
      [INPUT, new InputQueue(INPUT, options.input?.size)],
      ...Object.keys(options.ports ?? {}).map((port) => [port, new InputQueue(`${port}-in`)] as const),
    ]);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    for (const [name, take] of Object.entries({ out: options.output, ...options.files, ...options.ports })) {
      this.#files.set(name, { take, size: 0, channel: undefined });
    }
  }

  /** @throws PetriError `launch-failed`, `upload-failed`, `connection-failed` */
  static async start(host: RemoteHost, home: HostFolder, options: LaunchOptions): Promise<RemoteLaunch> {
    const script = await home.script('launch.sh');
    const token = randomBytes(16).toString('hex');
    const folder = `${home.path}/launches/${token}`;
    const env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
    const program = [...(env.length > 0 ? ['env', ...env] : []), ...options.argv(folder)];
    const { heartbeat, outputLimit } = host.config;
    const { terminal = false, grace = 3, files = {}, ports = {}, lease = '-', input } = options;
    const settings = [heartbeat, outputLimit * 1024, grace, terminal ? 1 : 0].map((value) => String(Math.ceil(value)));
    const argv = terminal ? [shellCommand(program)] : program;
    const launch = new RemoteLaunch(host, script, folder, options);
    const { code, stdout, stderr } = await host.run(
      [
        'sh',
        script,
        'start',
        folder,
        token,
        ...settings,
        lease,
        input?.path ?? '-',
        Object.keys(files).join(' '),
        Object.keys(ports).join(' '),
        ...argv,
      ],
      { again: true },
    );
    if (code !== 0) throw launchError(host, program[0] ?? '', `${stdout}${stderr}`.trim());
    options.log(`${host.name}: launched ${shellCommand(program)} in ${folder}`);
    for (const name of launch.#files.keys()) launch.#keep(`reading ${name}`, () => launch.#follow(name));
    launch.#keep('watching', () => launch.#attend());
    return launch;
  }

  /**
   * Sends input to a port or to the program itself. What the host has not acknowledged when a connection breaks is sent
   * again; nothing arrives twice.
   */
  write(bytes: Uint8Array, port = INPUT): void {
    const input = this.#inputs.get(port);
    if (this.#over || input === undefined) return;
    input.push(bytes);
    if (this.#attendant !== undefined) this.#send(input.next());
  }

  #send(line: string | undefined): void {
    if (line !== undefined) this.#attendant?.write(line);
  }

  /** Asks the program to end: SIGTERM, and SIGKILL after the grace period. `ended` reports when it has. */
  stop(): void {
    this.#stopping = true;
    this.#sendStop();
  }

  /** Sends the request to the current connection: it may be made before the first one, and repeated after one broke. */
  #sendStop(): void {
    if (this.#stopping) this.#attendant?.write('stop\n');
  }

  /** Ends it at once and removes its folder. Idempotent; never rejects. */
  async remove(): Promise<void> {
    this.#finish({ kind: 'stopped', code: 137 });
    try {
      await this.#host.run(['sh', this.#script, 'remove', this.folder], { again: true });
    } catch (error) {
      const { heartbeat } = this.#host.config;
      this.#log(`${this.folder} could not be removed, and expires in ${String(heartbeat)} s: ${String(error)}`);
    }
  }

  /** Repeats one side of the connection until the launch has ended. */
  #keep(what: string, once: () => Promise<void>): void {
    const loop = async (): Promise<void> => {
      for (await once(); !this.#over; await once()) {
        this.#log(`${this.#host.name}: the connection ended while ${what}; connecting again`);
      }
    };
    loop().catch((error: unknown) => {
      this.#finish({ kind: 'lost', message: error instanceof Error ? error.message : String(error) });
    });
  }

  async #follow(name: string): Promise<void> {
    const file = this.#files.get(name);
    if (file === undefined) return;
    const take = (bytes: Buffer): void => {
      if (this.#over || bytes.length === 0) return;
      file.size += bytes.length;
      file.take(bytes);
      this.#settle();
    };
    const argv = ['sh', this.#script, 'follow', this.folder, name, String(file.size)];
    const { closed } = await this.#host.open(
      argv,
      (channel, output) => {
        file.channel = channel;
        channel.on('data', output.reader(take));
        return { closed: closing(channel) };
      },
      { again: true },
    );
    await closed;
    file.channel = undefined;
    // The end of this side proves nothing: the file may have been removed, which the other side reports.
    if (!this.#over && this.#attendant !== undefined) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async #attend(): Promise<void> {
    const { heartbeat } = this.#host.config;
    const argv = ['sh', this.#script, 'attend', this.folder, String(Math.ceil(heartbeat))];
    const { closed, beat } = await this.#host.open(
      argv,
      (channel, output) => {
        channel.on(
          'data',
          output.reader(
            lineReader((line) => {
              this.#take(line);
            }),
          ),
        );
        output.onStart(() => {
          this.#attendant = channel;
          for (const input of this.#inputs.values()) this.#send(input.again());
          this.#sendStop();
        });
        return {
          closed: closing(channel),
          beat: setInterval(
            () => {
              if (output.started) channel.write('beat\n');
            },
            (heartbeat * 1000) / 4,
          ),
        };
      },
      { again: true },
    );
    await closed;
    clearInterval(beat);
    this.#attendant = undefined;
  }

  #take(line: string): void {
    const [verb, ...words] = line.split(' ');
    if (verb === 'in') {
      const [file, size] = words;
      const input = [...this.#inputs.values()].find((one) => one.file === file);
      input?.acknowledge(Number(size));
      this.#send(input?.next());
    }
    if (verb === 'gone')
      this.#finish({ kind: 'lost', message: `${this.folder} no longer exists: it expired or was removed` });
    else if (verb === 'lost') {
      const message = `the supervisor of the launcher was ended: ${this.#host.name} was rebooted, or another user ended it`;
      this.#finish({ kind: 'lost', message });
    } else if (verb === 'reason') {
      this.#reason = endReasons.find((reason) => reason === words[0]) ?? this.#reason;
    } else if (verb === 'exit') {
      const sizes = words.slice(1).map((word) => word.split('='));
      this.#exit = {
        code: Number(words[0]),
        sizes: new Map(sizes.map(([name = '', size]) => [name, Number(size)])),
      };
      this.#settle();
    }
  }

  /** Ends the launch when the program has ended, and all of its output is here. */
  #settle(): void {
    const exit = this.#exit;
    if (exit === undefined) return;
    const complete = [...this.#files].every(([name, { size }]) => size >= (exit.sizes.get(name) ?? 0));
    if (complete) this.#finish({ kind: this.#reason, code: exit.code });
  }

  #finish(end: LaunchEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#end(end);
    this.#attendant?.end();
    this.#attendant?.destroy();
    for (const { channel } of this.#files.values()) channel?.destroy();
  }
}

function closing(channel: ClientChannel): Promise<void> {
  return new Promise((resolve) => {
    channel.on('error', () => undefined);
    channel.stderr.resume();
    channel.on('close', () => {
      resolve();
    });
  });
}

function launchError(host: RemoteHost, program: string, said: string): PetriError {
  const [, missing] = /^missing (.*)$/m.exec(said) ?? [];
  if (missing !== undefined) {
    return new PetriError(`${host.name} has no program ${missing}`, {
      code: 'launch-failed',
      step: 'launch',
      remedy:
        missing === program
          ? 'install it there, or correct the launcher in the hosts file'
          : 'install it there: it is what launches are supervised with',
    });
  }
  const full = /^full$/m.test(said);
  return new PetriError(`${host.name} cannot launch ${program}: ${full ? 'its disk is full' : said}`, {
    code: 'launch-failed',
    step: 'launch',
    remedy: full
      ? 'make room there, or name another `folder` in the hosts file'
      : 'look whether it can be run there by hand',
  });
}
