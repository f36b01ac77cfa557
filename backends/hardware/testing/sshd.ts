import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  renameSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import type { HostConfig } from '../hosts/schema.ts';
import { toolsAreRequired } from '../../../petri/unit-test/optional-tool.ts';
import { until } from '../../../petri/unit-test/until.ts';
import { parseHosts } from '../hosts/hosts-file.ts';

/** Path of OpenSSH's server, which is not in an ordinary user's PATH; undefined if it is not installed. */
export const sshdPath = findSshd();

function findSshd(): string | undefined {
  const found = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));
  if (found === undefined && toolsAreRequired()) {
    throw new Error('sshd is required here and not installed: apt-get install openssh-server');
  }
  return found;
}

/** A real sshd on a loopback port, with keys, configuration and folders of its own: the machine of the tests. */
export class TestSshd {
  readonly folder: string;
  readonly port: number;
  hostKey: string;
  /** Lines of sshd_config that precede the default ones. */
  readonly config: string[] = [];
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.hostKey = this.newHostKey();
  }

  /** @param prepare called before the server starts */
  static async start(prepare: (sshd: TestSshd) => void = () => undefined): Promise<TestSshd> {
    const folder = mkdtempSync(join(tmpdir(), 'petri-sshd-'));
    mkdirSync(join(folder, 'home'));
    const sshd = new TestSshd(folder, await freePort());
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', sshd.identityFile]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'stranger')]);
    writeFileSync(join(folder, 'authorized_keys'), readFileSync(`${sshd.identityFile}.pub`));
    chmodSync(join(folder, 'authorized_keys'), 0o600);
    // sshd requires it if root runs it, and Debian's makes it at boot.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
    prepare(sshd);
    await sshd.boot();
    return sshd;
  }

  get identityFile(): string {
    return join(this.folder, 'identity');
  }

  /** A key that the machine does not accept. */
  get strangersFile(): string {
    return join(this.folder, 'stranger');
  }

  /** Replaces the machine's host key. @returns its public line */
  newHostKey(): string {
    const path = join(this.folder, 'host_key');
    for (const file of [path, `${path}.pub`]) rmSync(file, { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
    this.hostKey = readFileSync(`${path}.pub`, 'utf8').trim();
    return this.hostKey;
  }

  /** Adds a host key, which is used from the next start on. @returns its public line */
  addHostKey(type: 'rsa' | 'ecdsa'): string {
    const path = join(this.folder, `host_key_${type}`);
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path]);
    this.config.push(`HostKey ${path}`);
    return readFileSync(`${path}.pub`, 'utf8').trim();
  }

  /** Starts the server on the same port as before. */
  async boot(): Promise<void> {
    const config = join(this.folder, 'sshd_config');
    writeFileSync(
      config,
      [
        ...this.config,
        `ListenAddress 127.0.0.1:${String(this.port)}`,
        `HostKey ${join(this.folder, 'host_key')}`,
        `AuthorizedKeysFile ${join(this.folder, 'authorized_keys')}`,
        'PidFile none',
        'UsePAM no',
        'StrictModes no',
        'PasswordAuthentication no',
        'AllowTcpForwarding yes',
        'MaxStartups 100',
        // The startup files of the user who runs the tests must not be read.
        `SetEnv HOME=${join(this.folder, 'home')}`,
        'LogLevel ERROR',
        '',
      ].join('\n'),
    );
    const child = spawn(String(sshdPath), ['-D', '-e', '-f', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await listening(this.port, () => (child.exitCode === null ? undefined : `sshd ended: ${said}`));
  }

  /**
   * Ends the server and every connection; with `everything`, also the processes started over them, like a reboot of the
   * machine.
   *
   * @param token text in the environment of the processes to be ended
   */
  async shutDown(everything?: { readonly token: string }): Promise<void> {
    const pid = this.#process?.pid;
    if (pid !== undefined) {
      const sessions = descendants(pid);
      for (const one of [pid, ...sessions]) kill(one);
    }
    if (everything !== undefined) for (const one of withEnvironment(everything.token)) kill(one);
    await this.#ended;
  }

  /** The configuration of this machine in a hosts file, with additional fields. */
  host(extra: Record<string, unknown> = {}): HostConfig {
    const [host] = parseHosts(this.hostsFile([extra]), 'test');
    if (host === undefined) throw new Error('no host');
    return host;
  }

  /** As JSON, which is valid YAML. */
  hostsFile(hosts: readonly Record<string, unknown>[]): string {
    const common = {
      name: 'machine',
      address: '127.0.0.1',
      port: this.port,
      user: userInfo().username,
      hostKey: this.hostKey,
      identityFile: this.identityFile,
      folder: join(this.folder, 'remote'),
      // Nothing expires, however busy the machine is, unless a test overrides this.
      ...{ heartbeat: 3600, reconnect: 3600, keepAlive: 300 },
      lease: { kind: 'file', folder: join(this.folder, 'leases'), expires: 3600 },
      launchers: { none: { kind: 'command', argv: ['true'] } },
    };
    return JSON.stringify({ version: 1, hosts: hosts.map((one) => ({ ...common, ...one })) });
  }

  /** Size of a file of the only launch on the machine. */
  wrote(file: string): number {
    const [launch] = this.#launches();
    return launch === undefined ? 0 : statSync(join(launch, file)).size;
  }

  /**
   * Lets the time since the last heartbeat expire for all leases and launches, until no launch is left: an attendant
   * whose connection has just ended may still read a heartbeat, and put the deadline off.
   */
  async expire(): Promise<void> {
    for (const lease of this.leases().map((id) => join(this.#holders, id))) {
      for (const entry of readdirSync(lease)) renameSync(join(lease, entry), join(lease, entry.replace(/^\d+/, '0')));
    }
    await until(() => {
      const launches = this.#launches();
      for (const launch of launches) expireLaunch(launch);
      return launches.length === 0 ? true : undefined;
    });
  }

  /** Owners of leases of the host `machine`, from lease.sh's files. */
  leases(): string[] {
    return existsSync(this.#holders) ? readdirSync(this.#holders) : [];
  }

  get #holders(): string {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return join(this.folder, 'leases', `petri-vm-${String(userInfo().uid)}`, boot, 'machine', 'holders');
  }

  #launches(): string[] {
    const folder = join(this.folder, 'remote', 'launches');
    return existsSync(folder) ? readdirSync(folder).map((launch) => join(folder, launch)) : [];
  }

  async end(): Promise<void> {
    await this.shutDown({ token: this.folder });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function listening(port: number, failed: () => string | undefined): Promise<void> {
  const { connect } = await import('node:net');
  for (;;) {
    const why = failed();
    if (why !== undefined) throw new Error(why);
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function expireLaunch(folder: string): void {
  try {
    writeFileSync(join(folder, 'deadline'), '000000000000\n', { flag: 'r+' });
  } catch {
    // It has just gone.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function descendants(pid: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: number[] = [];
  const queue = [pid];
  for (let parent = queue.pop(); parent !== undefined; parent = queue.pop()) {
    for (const [child, of] of table) {
      if (of !== parent || child === undefined) continue;
      found.push(child);
      queue.push(child);
    }
  }
  return found;
}

/** Processes with all of these texts in their environment, or all of them in their command line. */
export function withEnvironment(...texts: readonly string[]): number[] {
  const own = String(process.pid);
  const table = execFileSync('ps', ['-eo', 'pid='], { encoding: 'utf8' })
    .split('\n')
    .map((pid) => pid.trim());
  return table
    .filter((pid) => pid !== '' && pid !== own)
    .filter((pid) =>
      ['environ', 'cmdline'].some((file) => texts.every((text) => readProc(`/proc/${pid}/${file}`).includes(text))),
    )
    .map(Number);
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
