import pc from 'picocolors';

import type { StackReporter, StackStep } from '../../kit/stack/index.ts';
import { harmlessLine, print } from '../../text/index.ts';
import { duration } from './plan.ts';
import { Progress } from '../progress.ts';

/** Reports the progress of an installation: a line for the start and end of each step, and a live one on a terminal. */
export class InstallReporter implements StackReporter {
  /** Shows the output of steps, each line with the name of the step. */
  readonly output?: NonNullable<StackReporter['output']>;
  #progress: Progress | undefined;

  constructor({ verbose = false }: { readonly verbose?: boolean } = {}) {
    if (verbose) this.output = (step, line) => this.#line(`${pc.dim(`${step.name} |`)} ${harmlessLine(line)}`);
  }

  skipped(step: StackStep, position: number, count: number): void {
    this.#line(`${place(position, count)} ${step.name}: ${pc.green('done before')}`);
  }

  started(step: StackStep, position: number, count: number, why: readonly string[], log: string): void {
    const reason = why.length === 0 ? '' : pc.dim(` (${why.join('; ')})`);
    this.#line(`${place(position, count)} ${step.name}: ${step.title}${reason}`);
    if (step.inspect === undefined) return;
    this.#line(pc.dim(`      log: ${log}${step.expects === undefined ? '' : `; expected: ${step.expects}`}`));
    const began = performance.now();
    const passed = (): string => duration((performance.now() - began) / 1000);
    this.#progress = new Progress(() => `${place(position, count)} ${step.name}, ${passed()}; log: ${log}`);
  }

  finished(step: StackStep, position: number, count: number, seconds: number): void {
    this.#stopProgress();
    this.#line(`${place(position, count)} ${step.name}: ${pc.green('finished')} in ${duration(seconds)}`);
  }

  failed(step: StackStep, position: number, count: number, seconds: number): void {
    this.#stopProgress();
    this.#line(`${place(position, count)} ${step.name}: ${pc.red('failed')} after ${duration(seconds)}`);
  }

  note(step: StackStep, message: string): void {
    this.#line(pc.yellow(`      ${step.name}: ${message}`));
  }

  waiting(why: string): void {
    this.#line(pc.yellow(why));
  }

  say(line: string): void {
    this.#line(line);
  }

  close(): void {
    this.#stopProgress();
  }

  #stopProgress(): void {
    this.#progress?.stop();
    this.#progress = undefined;
  }

  #line(line: string): void {
    this.#progress?.clear();
    print(`${line}\n`);
  }
}

function place(position: number, count: number): string {
  return pc.bold(`[${String(position)}/${String(count)}]`);
}
