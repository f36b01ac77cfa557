import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Entry points for {@link UserProject.run}: vitest with our options, vitest's own command, and `petri`. */
export const ourVitest = join(repository, 'bin', 'vitest.mjs');
export const stockVitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
export const petri = join(repository, 'bin', 'petri.mjs');

/** How a command ended and its output, without colours. */
export interface Outcome {
  readonly code: number | null;
  /** Both streams in the order of arrival. */
  readonly output: string;
  readonly stdout: string;
}

/** A user's folder with a vitest configuration and test files. It is in the repository, where vitest is found. */
export class UserProject {
  readonly #name: string;
  readonly #files: Readonly<Record<string, string>>;
  #folder = '';

  /** @param files contents by path; they may import from the repository by `../../` */
  constructor(name: string, files: Readonly<Record<string, string>>) {
    this.#name = name;
    this.#files = files;
  }

  /** Absolute path, after {@link write}. */
  get folder(): string {
    return this.#folder;
  }

  write(): void {
    const home = join(repository, '.petri');
    mkdirSync(home, { recursive: true });
    this.#folder = mkdtempSync(join(home, `${this.#name}-`));
    for (const [name, text] of Object.entries(this.#files)) {
      mkdirSync(dirname(join(this.#folder, name)), { recursive: true });
      writeFileSync(join(this.#folder, name), text);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a command of ours or of vitest in the project, without the options that this process was given. */
  run(
    entry: string,
    argv: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Outcome> {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PETRI_') && name !== 'VITEST');
    const child = spawn(process.execPath, [entry, ...argv], {
      cwd: this.#folder,
      env: { ...Object.fromEntries(own), PETRI_CCA_ROOT: '/nowhere', CI: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const all: Buffer[] = [];
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      all.push(chunk);
      out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => all.push(chunk));
    const text = (chunks: readonly Buffer[]): string => stripVTControlCharacters(Buffer.concat(chunks).toString());
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output: text(all), stdout: text(out) }));
    });
  }
}
