import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';

import { PetriError } from '../../errors.ts';
import { DrainedStream } from './drained-stream.ts';
import { defaultGraceMs, endProcesses, findProcesses, type ProcessClaim } from './end-processes.ts';
import type { Ledger } from './ledger.ts';
import { OutputFile } from './output-file.ts';
import { processExit } from './process-exit.ts';
import { isSame, type ProcessIdentity, systemProcessTable } from './process-table.ts';
import { entryToken, TOKEN_VARIABLE } from './token.ts';
import type { ProcessExit, SpawnOptions, StopOptions, StopReport, SupervisedProcess } from './types.ts';

/** How long to wait for the end of output after the process ended: a descendant may keep its pipes open. */
const outputMs = 500;

/**
 * Records that a process is about to be started, starts it, and records its identity. @throws PetriError
 * `tool-missing`, `spawn-failed`
 */
export async function spawnSupervised(ledger: Ledger, options: SpawnOptions): Promise<Supervised> {
  const output = openOutput(options);
  const graceMs = Math.min(options.graceMs ?? defaultGraceMs, 60_000);
  const entry = ledger.open({ kind: 'process', name: options.name.slice(0, 256), graceMs });
  const token = entryToken(ledger.id, entry);
  try {
    const child = spawn(options.command, options.args, {
      detached: true,
      cwd: options.cwd,
      env: { ...process.env, ...options.env, [TOKEN_VARIABLE]: `${process.env[TOKEN_VARIABLE] ?? ''}${token}` },
      stdio: [options.stdin ?? 'pipe', 'pipe', 'pipe'],
    });
    // Node sets the pid at once or never; the event only carries the reason.
    if (child.pid === undefined) await once(child, 'spawn');
    return new Supervised(child, {
      ledger,
      entry,
      token,
      graceMs,
      name: options.name,
      output,
      onOutput: options.onOutput,
    });
  } catch (error) {
    ledger.end(entry);
    output?.close();
    throw notStarted(options, error);
  }
}

interface Details {
  readonly ledger: Ledger;
  readonly entry: number;
  readonly token: string;
  readonly graceMs: number;
  readonly name: string;
  readonly output: OutputFile | undefined;
  readonly onOutput: SpawnOptions['onOutput'];
}

/** See `SupervisedProcess`. Its entry in the ledger is closed when none of its processes lives any more. */
export class Supervised implements SupervisedProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ProcessExit>;
  readonly #details: Details;
  readonly #identity: ProcessIdentity | undefined;
  #known: ProcessIdentity[] = [];
  #exit: ProcessExit | undefined;
  #stopping: Promise<StopReport> | undefined;
  #hurry = new AbortController();
  #closed = false;
  /** Called once, when none of its processes lives any more. */
  onEnded = (): void => {};

  constructor(child: ChildProcess, details: Details) {
    const { pid } = child;
    if (pid === undefined) throw new Error('it has no process number');
    this.pid = pid;
    this.#details = details;
    // A child that ended at once is a zombie until Node reports its end, and has no identity then.
    const row = systemProcessTable().find(pid);
    if (row !== undefined) {
      this.#identity = { pid, start: row.start };
      this.#see([this.#identity]);
    }
    const stdout = this.#drain(child.stdout);
    const stderr = this.#drain(child.stderr);
    this.stdout = stdout;
    this.stderr = stderr;
    this.stdin = child.stdin ?? new PassThrough().resume();
    this.stdin.on('error', () => {
      // The process has ended or closed its input.
    });
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const exit = processExit(code, signal);
        this.#exit = exit;
        this.#look();
        const late = setTimeout(() => resolve(exit), outputMs);
        child.once('close', () => {
          clearTimeout(late);
          stdout.end();
          stderr.end();
          details.output?.close();
          resolve(exit);
        });
      });
    });
  }

  get name(): string {
    return this.#details.name;
  }

  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  get ended(): boolean {
    return this.#closed;
  }

  async stop(options: StopOptions = {}): Promise<StopReport> {
    // A stop without a grace period ends the grace period of an earlier one.
    if (options.graceMs === 0) this.#hurry.abort();
    this.#stopping ??= this.#stop(options.graceMs ?? this.#details.graceMs);
    const report = await this.#stopping;
    // Survivors may have ended by the next attempt.
    if (report.survivors.length > 0) this.#stopping = undefined;
    return report;
  }

  /** Sends SIGKILL to all of its processes, without waiting. */
  killNow(): void {
    if (this.#closed) return;
    for (const group of new Set(this.#find().map((row) => row.group))) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
  }

  async #stop(graceMs: number): Promise<StopReport> {
    if (this.#closed) return { survivors: [] };
    try {
      const survivors = await endProcesses(() => this.#find(), graceMs, this.#hurry.signal);
      if (survivors.length === 0) {
        if (this.#exit === undefined) await this.exited;
        this.#close();
      }
      return { survivors };
    } catch (error) {
      process.emitWarning(`'${this.name}' could not be stopped: ${String(error)}`, 'PetriWarning');
      return { survivors: [this.pid] };
    }
  }

  #find() {
    const claim: ProcessClaim = {
      token: this.#details.token,
      known: this.#known,
      child: this.#exit === undefined ? this.#identity : undefined,
      after: this.#identity,
    };
    return findProcesses(claim);
  }

  /** Finds what it left, immediately after its end, while its session can still be identified. */
  #look(): void {
    try {
      const left = this.#find();
      if (left.length === 0) this.#close();
      else this.#see(left);
    } catch (error) {
      process.emitWarning(`cannot see what '${this.name}' left: ${String(error)}`, 'PetriWarning');
    }
  }

  #see(processes: readonly ProcessIdentity[]): void {
    for (const { pid, start } of processes) {
      if (this.#known.some((known) => isSame(known, { pid, start }))) continue;
      this.#known.push({ pid, start });
      this.#details.ledger.seen(this.#details.entry, { pid, start });
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#details.ledger.end(this.#details.entry);
    this.onEnded();
  }

  #drain(source: Readable | null): DrainedStream {
    const stream = new DrainedStream();
    const { output, onOutput } = this.#details;
    source?.on('data', (chunk: Buffer) => {
      output?.write(chunk);
      onOutput?.(chunk);
      stream.give(chunk);
    });
    source?.on('error', (error) => {
      process.emitWarning(`output of '${this.name}' could not be read: ${String(error)}`, 'PetriWarning');
    });
    return stream;
  }
}

function openOutput({ name, output }: SpawnOptions): OutputFile | undefined {
  if (output === undefined) return undefined;
  try {
    return new OutputFile(output);
  } catch (error) {
    throw new PetriError(`the output of ${name} cannot be written to ${output}: ${messageOf(error)}`, {
      code: 'spawn-failed',
      step: 'launch',
      remedy: 'the folder must exist and be writable',
      cause: error,
    });
  }
}

function notStarted({ name, command, cwd }: SpawnOptions, error: unknown): PetriError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (cwd !== undefined && !existsSync(cwd)) {
    return new PetriError(`${name} cannot be started in ${cwd}, which does not exist`, {
      code: 'spawn-failed',
      step: 'launch',
      cause: error,
    });
  }
  if (code === 'ENOENT' || (code === 'EACCES' && !isInPath(command))) {
    return new PetriError(`${name} cannot be started: there is no program '${command}'`, {
      code: 'tool-missing',
      step: 'launch',
      remedy: command.includes('/') ? 'check the path' : 'install it, or add its folder to PATH',
      cause: error,
    });
  }
  return new PetriError(`${name} cannot be started: ${command}: ${messageOf(error)}`, {
    code: 'spawn-failed',
    step: 'launch',
    remedy: code === 'EACCES' ? 'the file must be executable (chmod +x)' : 'look at limits of the system (ulimit -a)',
    cause: error,
  });
}

/** If a folder in PATH may not be read, the system reports EACCES instead of ENOENT. */
function isInPath(command: string): boolean {
  if (command.includes('/')) return true;
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
