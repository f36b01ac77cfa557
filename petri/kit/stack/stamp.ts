import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import type { Evidence } from './step.ts';

const schema = z.object({
  version: z.literal(1),
  step: z.string(),
  inputs: z.record(z.string(), z.string()),
  evidence: z.record(z.string(), z.string()),
  seconds: z.number(),
  finished: z.string(),
});

/** Written when a step has finished, after all of its outputs. */
export type Stamp = z.infer<typeof schema>;

/** The stamps of a stack, and the marks of steps in progress: `<root>/stamps`. */
export class Stamps {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'stamps');
  }

  /** The stamp of a step; undefined if it is missing or invalid: the step is not done. */
  async read(step: string): Promise<Stamp | undefined> {
    try {
      const parsed = schema.safeParse(JSON.parse(await readFile(this.#file(step), 'utf8')));
      return parsed.success && parsed.data.step === step ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  async write(stamp: Stamp): Promise<void> {
    await writeAtomically(this.#file(stamp.step), `${JSON.stringify(stamp, null, 2)}\n`);
  }

  async remove(step: string): Promise<void> {
    await rm(this.#file(step), { force: true });
  }

  /** Marks a step as in progress. A mark that is found later means that the process was killed. */
  async begin(step: string): Promise<void> {
    await writeAtomically(this.#mark(step), `${String(process.pid)}\n`);
  }

  async end(step: string): Promise<void> {
    await rm(this.#mark(step), { force: true });
  }

  async wasInterrupted(step: string): Promise<boolean> {
    try {
      await readFile(this.#mark(step));
      return true;
    } catch {
      return false;
    }
  }

  #file(step: string): string {
    return join(this.#folder, `${step}.json`);
  }

  #mark(step: string): string {
    return join(this.#folder, `${step}.running`);
  }
}

/** Digest of evidence, as the input of a later step. */
export function evidenceDigest(evidence: Evidence): string {
  const sorted = Object.entries(evidence).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** Replaces a file atomically: there is either the old or the complete new one. */
export async function writeAtomically(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  await writeFile(temporary, content, { mode, flush: true });
  await rename(temporary, path);
}
