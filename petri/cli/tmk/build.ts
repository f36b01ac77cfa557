import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';

import { artifactsFolder, identify } from '../../artifacts/index.ts';
import { PetriError } from '../../errors.ts';
import { requireUsable, temporaryHome } from '../../homes/index.ts';
import { tmk } from '../../payload/index.ts';
import { harmlessLine, print, printError } from '../../text/index.ts';
import type { TmkCommandOptions } from './options.ts';

/**
 * Omitted with `--simd`. gcc 12 zeroes small objects with unaligned vector stores even under -mstrict-align, which
 * fault while the MMU is off, here as on hardware.
 */
const WITHOUT_SIMD = '-mgeneral-regs-only';

/** The files that `artifacts/tmk/build.sh` compiles for the runtime, with additional flags. */
const runtimeFlags = ['-O2', WITHOUT_SIMD, '-fno-tree-loop-distribute-patterns'];
const runtimeSources = ['start.S', 'vectors.S', 'main.c', 'exceptions.c', 'format.c', 'memory.c', 'stack.c'];

/**
 * `petri tmk build`: links C files with the runtime to a TMK, like the prebuilt ones, and checks the result.
 *
 * @throws PetriError `invalid-option`, `folder-unusable`, `tool-missing`, `tool-failed`, `tmk-invalid`
 */
export function buildTmk(sources: readonly string[], options: TmkCommandOptions): void {
  const [first] = sources;
  if (first === undefined) throw wrongUsage('petri tmk build needs a C file');
  for (const source of sources) {
    if (identify(source) === undefined) throw wrongUsage(`${source} is not a file`);
  }
  const optimize = options.optimize ?? '2';
  if (!/^[0-3sgz]$/.test(optimize)) throw wrongUsage(`-O takes 0, 1, 2, 3, s, z or g, not '${optimize}'`);
  const output = options.output ?? `${basename(first, extname(first))}.elf`;
  requireUsable(
    'the folder of the TMK',
    dirname(resolve(output)),
    'let -o name a file in a folder that can be written to',
  );

  const runtime = join(artifactsFolder(), 'tmk', 'runtime');
  const gcc = new CrossCompiler(runtime);
  const objects = mkdtempSync(join(temporaryHome(), 'petri-tmk-'));
  try {
    const object = (source: string, index: number): string => join(objects, `${index}-${basename(source)}.o`);
    const own = runtimeSources.map((source) => join(runtime, source));
    own.forEach((source, index) => gcc.compile(source, object(source, index), runtimeFlags));
    const theirs = sources.map((source, index) => {
      const target = object(source, own.length + index);
      gcc.compile(source, target, [`-O${optimize}`, '-g', ...(options.simd === true ? [] : [WITHOUT_SIMD])]);
      return target;
    });
    const [start, ...rest] = own.map(object);
    gcc.link([start ?? '', ...theirs, ...rest], output);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
  const { image } = tmk(output.includes('/') ? output : `./${output}`);
  const tests = image.tests.map((test) => test.name).join(', ');
  print(`${output}: ${(statSync(output).size / 1024).toFixed(1)} KiB, tests: ${harmlessLine(tests)}\n`);
}

class CrossCompiler {
  readonly #runtime: string;
  readonly #program = `${process.env['CROSS_COMPILE'] ?? 'aarch64-linux-gnu-'}gcc`;

  constructor(runtime: string) {
    this.#runtime = runtime;
  }

  compile(source: string, object: string, flags: readonly string[]): void {
    const include = `-I${this.#runtime}`;
    this.#run([`@${join(this.#runtime, 'cflags.rsp')}`, ...flags, include, '-c', source, '-o', object]);
  }

  link(objects: readonly string[], output: string): void {
    const script = `-Wl,-T,${join(this.#runtime, 'tmk.ld')}`;
    this.#run([`@${join(this.#runtime, 'ldflags.rsp')}`, script, ...objects, '-o', output]);
  }

  #run(args: readonly string[]): void {
    const result = spawnSync(this.#program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (result.error !== undefined) {
      throw new PetriError(`${this.#program} cannot be run: ${result.error.message}`, {
        code: 'tool-missing',
        step: 'payload',
        remedy: 'sudo apt-get install gcc-aarch64-linux-gnu, or set CROSS_COMPILE to the prefix of another tool chain',
        cause: result.error,
      });
    }
    printError(result.stderr);
    if (result.status === 0) return;
    throw new PetriError(`${this.#program} failed with ${result.signal ?? `exit code ${String(result.status)}`}`, {
      code: 'tool-failed',
      step: 'payload',
      remedy: 'correct what it complains about above',
    });
  }
}

function wrongUsage(message: string): PetriError {
  return new PetriError(message, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'write it as in: petri tmk build mine.c -o mine.elf -O 2',
  });
}
