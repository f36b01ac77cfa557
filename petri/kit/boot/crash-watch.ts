import { PetriError } from '../../errors.ts';
import type { SerialConsole } from '../../serial/index.ts';
import type { CrashSignature } from './stage.ts';

/** Characters of a line that are searched and shown. */
const LINE_WIDTH = 1000;

/** A signature that was found. */
export interface Crash {
  readonly console: string;
  readonly meaning: string;
  /** The line that has it. */
  readonly line: string;
}

/** Searches consoles for crash signatures, from the current position of their waits, until it is stopped. */
export class CrashWatch {
  /** Resolves with the first crash found. Never rejects because of what a guest prints. */
  readonly found: Promise<Crash>;
  #crash: Crash | undefined;
  readonly #stop = new AbortController();

  /** @throws PetriError `pattern-too-expensive`, `console-incomplete`, by `found` */
  constructor(consoles: ReadonlyMap<string, SerialConsole>, signatures: readonly CrashSignature[]) {
    this.found = new Promise((resolve, reject) => {
      for (const [name, console] of consoles) {
        const own = signatures.filter((signature) => signature.console === undefined || signature.console === name);
        for (const group of searches(own)) {
          this.#search(console, group, reject).then((crash) => {
            if (crash === undefined) return;
            this.#crash ??= { console: name, ...crash };
            resolve(this.#crash);
          }, reject);
        }
      }
    });
    // A caller that stops before anything is found does not await the promise.
    this.found.catch(() => undefined);
  }

  /** The crash, if one was found. */
  get crash(): Crash | undefined {
    return this.#crash;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #search(
    console: SerialConsole,
    { pattern, signatures }: Search,
    fail: (error: unknown) => void,
  ): Promise<Omit<Crash, 'console'> | undefined> {
    try {
      const { before, match } = await console.waitFor(pattern, { consume: false, signal: this.#stop.signal });
      const start = before.slice(before.lastIndexOf('\n') + 1).slice(-LINE_WIDTH / 2);
      const line = `${start}${match}`.slice(0, LINE_WIDTH);
      const signature = signatures.find((candidate) => candidate.pattern.test(line)) ?? signatures[0];
      return { meaning: signature?.meaning ?? 'it crashed', line };
    } catch (error) {
      const over = error instanceof PetriError && ['wait-timeout', 'console-closed'].includes(error.code);
      if (!over) fail(error);
      return undefined;
    }
  }
}

interface Search {
  readonly pattern: RegExp;
  readonly signatures: readonly CrashSignature[];
}

/** As few searches as possible, since each of them reads the whole console. */
function searches(signatures: readonly CrashSignature[]): Search[] {
  const groups = new Map<string, CrashSignature[]>();
  const alone: CrashSignature[] = [];
  for (const signature of signatures) {
    const { source } = signature.pattern;
    const flags = signature.pattern.flags.replaceAll(/[gymd]/g, '');
    // Names and numbers of groups would clash or shift.
    if (/\(\?<[A-Za-z_]|\\[1-9k]/.test(source)) alone.push(signature);
    else groups.set(flags, [...(groups.get(flags) ?? []), signature]);
  }
  return [...[...groups.values()], ...alone.map((signature) => [signature])].map((group) => {
    const alternatives = group.map(({ pattern }) => `(?:${pattern.source})`).join('|');
    return {
      pattern: new RegExp(`(?:${alternatives}).*`, group[0]?.pattern.flags.replaceAll(/[gymd]/g, '')),
      signatures: group.map((signature) => ({ ...signature, pattern: withoutState(signature.pattern) })),
    };
  });
}

/** Removes flags `g` and `y`, with which `test` would start where it ended last. */
function withoutState(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gymd]/g, '')}m`);
}
