import { readFileSync, rmSync } from 'node:fs';

/** Where a boot can be told to go wrong, in the order in which it gets there. */
export const stages = [
  'model',
  'ports',
  'tf-a',
  'rmm',
  'edk2',
  'host-kernel',
  'host-agent',
  'realm',
  'plane0',
  'tmk',
] as const;

export type Stage = (typeof stages)[number];

/** What the stand-in can be told to do wrong, and what the value means. README.md explains each. */
const known = {
  hang: 'stage',
  crash: 'stage',
  exit: 'stage[:code]',
  cut: 'stage',
  delay: 'milliseconds',
  split: '',
  interleave: '',
  noise: '',
  drop: 'bytes of test output before the one that is lost',
  garble: 'bytes of test output before the one that is changed',
  flood: 'terminal',
  'flood-bytes': 'bytes',
  'buffer-bytes': 'bytes',
  'no-terminal': 'terminal',
  generation: '1 to 3',
  buffered: '',
  refuse: 'parameter',
  stubborn: '',
  orphan: '',
  abort: '',
  lkvm: 'exit code',
  'no-tmk-vmm': '',
  'old-tmk-vmm': '',
  tmk: 'hang, garbage, forge or silent',
  'escape-messages': '',
  span: '',
  'disk-full': '',
  once: '',
  shrinkwrap: 'a fault of `shrinkwrap run`',
} as const;

export type Fault = keyof typeof known;

/**
 * What to do wrong: `$PETRI_STAND_IN`, a comma list such as `hang=rmm,stubborn`, or `@FILE` with such a list in it.
 * With `once` the file is removed when a model has read it, so the next model behaves.
 */
export class Misbehaviour {
  readonly #faults: ReadonlyMap<string, string>;

  /** @throws Error for a fault that is not known: a misspelt one would make a test pass for nothing */
  constructor(list: string) {
    this.#faults = new Map(
      list
        .split(/[,\n]/)
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map((item) => {
          const [name = '', ...value] = item.split('=');
          return [name, value.join('=')];
        }),
    );
    for (const name of this.#faults.keys()) {
      if (!Object.hasOwn(known, name)) throw new Error(`PETRI_STAND_IN: no fault '${name}'`);
    }
    for (const name of ['hang', 'crash', 'cut', 'exit'] as const) {
      const stage = this.value(name)?.split(':')[0];
      if (stage !== undefined && !stages.some((known) => known === stage)) {
        throw new Error(`PETRI_STAND_IN: no stage '${stage}'`);
      }
    }
  }

  has(fault: Fault): boolean {
    return this.#faults.has(fault);
  }

  value(fault: Fault): string | undefined {
    return this.#faults.get(fault);
  }

  number(fault: Fault): number | undefined {
    const value = this.value(fault);
    return value === undefined ? undefined : Number(value);
  }

  /** Whether the fault is to happen at this stage. */
  at(fault: 'hang' | 'crash' | 'cut', stage: Stage): boolean {
    return this.value(fault) === stage;
  }

  /** The code with which the model is to exit at this stage, if it is. */
  exitAt(stage: Stage): number | undefined {
    const [where, code] = (this.value('exit') ?? '').split(':');
    return where === stage ? Number(code ?? 1) : undefined;
  }

  /** As a list again, for a process that the model starts. */
  toString(): string {
    return [...this.#faults].map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join(',');
  }
}

/** @param isModel whether `once` counts this reading */
export function readMisbehaviour(environment: NodeJS.ProcessEnv, isModel = false): Misbehaviour {
  const setting = environment['PETRI_STAND_IN'] ?? '';
  if (!setting.startsWith('@')) return new Misbehaviour(setting);
  const file = setting.slice(1);
  let list: string;
  try {
    list = readFileSync(file, 'utf8');
  } catch {
    return new Misbehaviour('');
  }
  const misbehaviour = new Misbehaviour(list);
  if (isModel && misbehaviour.has('once')) rmSync(file, { force: true });
  return misbehaviour;
}
