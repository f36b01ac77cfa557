import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Misbehaviour } from '../misbehaviour.ts';

const shims = fileURLToPath(new URL('../guest/shims', import.meta.url));

/**
 * What busybox init does with the scripts of a buildroot image: each in turn, then a login prompt that reads the
 * console.
 */
const INIT = `
for script in "$PETRI_ROOT"/etc/init.d/S??*; do
  if [ -x "$script" ]; then "$script" start; fi
done
printf '\\nWelcome to Buildroot\\nbuildroot login: '
while read -r name; do printf 'Password: '; read -r password; printf '\\nLogin incorrect\\nbuildroot login: '; done
`;

export interface GuestOptions {
  /** The ext4 image of the root file system. */
  readonly image: string;
  /** Where programs of the guest reach the model. */
  readonly socket: string;
  readonly misbehaviour: Misbehaviour;
}

/**
 * User space of the host Linux: the scripts in the image, run with this machine's `sh` on a terminal, with programs of
 * ours in the place of those that need the real thing. Ends when the model does, however that ends.
 */
export class Guest {
  readonly #options: GuestOptions;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  constructor(options: GuestOptions) {
    this.#options = options;
    // Beside the image, so that whoever takes that away takes this away too, even if the model is killed.
    this.#folder = mkdtempSync(join(dirname(options.image), '.stand-in-'));
  }

  get #root(): string {
    return join(this.#folder, 'root');
  }

  /** @param onOutput takes what is printed on the console; nothing more is read until it resolves */
  start(onOutput: (bytes: Uint8Array) => Promise<void>): void {
    this.#unpack();
    const { PETRI_STAND_IN: _, ...environment } = process.env;
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'script', '-q', '-e', '-f', '-E', 'always', '-c', INIT, '/dev/null'],
      {
        cwd: this.#root,
        env: {
          ...environment,
          HOME: this.#root,
          PATH: `${shims}:/usr/sbin:/usr/bin:/sbin:/bin`,
          PETRI_ROOT: this.#root,
          PETRI_STAND_IN: this.#options.misbehaviour.toString(),
          PETRI_STAND_IN_NODE: process.execPath,
          PETRI_STAND_IN_PID: String(process.pid),
          PETRI_STAND_IN_SHIMS: shims,
          PETRI_STAND_IN_SOCKET: this.#options.socket,
          SHELL: '/bin/sh',
          TERM: 'vt100',
        },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    this.#process = child;
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => {
      child.stdout.pause();
      void onOutput(bytes).then(() => child.stdout.resume());
    });
  }

  /** What is typed on the console. */
  type(bytes: Uint8Array): void {
    this.#process?.stdin?.write(bytes);
  }

  /** Ends all programs at once and removes what was unpacked. */
  kill(): void {
    this.#process?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Takes out of the image what the scripts need, and puts our programs where those are that cannot run here. */
  #unpack(): void {
    const root = this.#root;
    for (const folder of ['bin', 'sbin', 'etc', 'proc/sys/kernel', 'dev', 'root', 'tmp']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    this.#dump('/cca', root);
    this.#dump('/etc/init.d', join(root, 'etc'));
    // Only what was put into the image for us is to run; the image's own services are not for this machine.
    for (const script of readdirSync(join(root, 'etc/init.d'))) {
      if (!script.includes('petri')) rmSync(join(root, 'etc/init.d', script), { recursive: true });
    }
    symlinkSync('/dev/tty', join(root, 'dev/console'));
    this.#place(join(root, 'bin/busybox'), 'busybox');
    this.#place(join(root, 'sbin/poweroff'), 'poweroff');
    for (const program of ['lkvm', 'tmk_vmm']) {
      const path = join(root, 'cca', program);
      if (!existsSync(path)) continue;
      rmSync(path);
      if (program === 'lkvm' || !this.#options.misbehaviour.has('no-tmk-vmm')) this.#place(path, program);
    }
  }

  #place(path: string, program: string): void {
    writeFileSync(path, `#!/bin/sh\nexec "$PETRI_STAND_IN_SHIMS/${program}" "$@"\n`);
    chmodSync(path, 0o755);
  }

  #dump(source: string, target: string): void {
    // debugfs reports what it cannot find on stderr and returns 0; a script that is missing then does not run, as on
    // the real machine.
    execFileSync('debugfs', ['-R', `rdump ${source} "${target}"`, this.#options.image], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, DEBUGFS_PAGER: '__none__' },
    });
  }
}
