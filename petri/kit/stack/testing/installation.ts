import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { packageRoot } from '../../../package-root.ts';
import type { FakeWorld } from './fake-world.ts';
import type { InstallEvent, InstallRequest } from './run-install.ts';

/** One run of the installer, in a separate process. */
export class Installation {
  readonly events: InstallEvent[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #root: string;
  #errors = '';

  constructor(
    /** Module, as a path below the package's root without extension, whose `main` installs PETRI_TEST_REQUEST. */
    program: string,
    world: FakeWorld,
    request: Partial<InstallRequest> & { readonly root: string },
    env: Record<string, string> = {},
  ) {
    const whole: InstallRequest = { sources: [], rebuild: [], refresh: false, given: {}, ...request };
    this.#root = request.root;
    rmSync(world.pausedFile, { force: true });
    const script = `
      const { load } = await import(${JSON.stringify(new URL('bin/load.mjs', packageRoot).href)});
      const { main } = await load(${JSON.stringify(program)});
      await main();`;
    this.#child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: world.env({ ...env, PETRI_TEST_REQUEST: JSON.stringify(whole) }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the installer has no pipes');
    createInterface({ input: stdout }).on('line', (line) => this.events.push(JSON.parse(line) as InstallEvent));
    stderr.on('data', (data: Buffer) => (this.#errors += data.toString()));
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** Waits until it has ended. @returns its last event */
  async outcome(): Promise<InstallEvent> {
    await this.#ended;
    const last = this.events.at(-1);
    if (last === undefined || (last.event !== 'done' && last.event !== 'error')) {
      throw new Error(`the installer ended without a word: ${JSON.stringify(this.events)}\n${this.#errors}`);
    }
    return last;
  }

  /** Waits until a condition holds while it runs. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#child.exitCode !== null) {
        throw new Error(`${what} did not come about: ${JSON.stringify(this.events)}\n${this.#errors}`);
      }
      await sleep(10);
    }
  }

  async untilPaused(world: FakeWorld): Promise<void> {
    await this.until('the pause', () => existsSync(world.pausedFile));
  }

  hasStarted(step: string): boolean {
    return this.events.some((event) => event.event === 'started' && event.step === step);
  }

  /** Ends it. Its locks expire at once. */
  async signal(name: 'SIGKILL' | 'SIGINT'): Promise<void> {
    this.#child.kill(name);
    await this.#ended;
    const lock = join(this.#root, '.lock');
    if (existsSync(lock)) utimesSync(lock, 0, 0);
  }
}
