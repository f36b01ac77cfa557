import { existsSync } from 'node:fs';

import { PetriError } from '../../../petri/errors.ts';
import {
  ask,
  type StackCommand,
  type StackStep,
  type StepContext,
  writeAtomically,
} from '../../../petri/kit/stack/index.ts';
import type { InstalledStack } from './installed.ts';
import type { StackLayout } from './layout.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { mergedConfig } from './pins.ts';
import { shrinkwrapVersion } from './shrinkwrap-tool.ts';

type Runtime = InstalledStack['shrinkwrap']['runtime'];

/** shrinkwrap's own image, tagged with the version of the tool, unless the configuration names another. */
const OWN_IMAGE = 'docker.io/shrinkwraptool/base-slim';

export interface ImageOptions {
  /** The shrinkwrap command, and the step that provides it. */
  readonly command: string;
  readonly after: string;
  readonly runtime: Runtime;
}

/** The program that runs containers; undefined for the runtime without containers. */
export function containerProgram(runtime: Runtime): 'docker' | 'podman' | undefined {
  if (runtime === 'null') return undefined;
  return runtime.startsWith('podman') ? 'podman' : 'docker';
}

/**
 * The container image of a stack. A tag is resolved to its digest when the stack is installed, and the digest is kept
 * in the stack's lock file; a digest in the lock is used unchanged. Without containers there is nothing to resolve.
 */
export class ContainerImage {
  readonly #layout: StackLayout;
  readonly #lock: LockFile;
  readonly #options: ImageOptions;
  /** Resolves the tag; undefined if there is nothing to resolve. */
  readonly step: StackStep | undefined;

  constructor(layout: StackLayout, lock: LockFile, options: ImageOptions) {
    this.#layout = layout;
    this.#lock = lock;
    this.#options = options;
    const program = containerProgram(options.runtime);
    this.step = program === undefined || isDigest(lock.shrinkwrap.image) ? undefined : this.#step(program);
  }

  /** The image as shown in a plan. */
  get shown(): string | undefined {
    const { image } = this.#lock.shrinkwrap;
    if (this.step === undefined) return image ?? undefined;
    return `<digest of ${image ?? 'the image of shrinkwrap'}>`;
  }

  /**
   * The lock with the image as it was resolved, or as it is where it is not resolved yet. @throws PetriError `lock-
   * file-invalid`
   */
  async locked(): Promise<LockFile> {
    if (this.step === undefined || !existsSync(this.#layout.ownLock)) return this.#lock;
    const { image, imageTag } = (await lockFormat.read(this.#layout.ownLock)).shrinkwrap;
    return imageTag === undefined ? this.#lock : withImage(this.#lock, { image, imageTag });
  }

  /** The image to pass to shrinkwrap; undefined: none. */
  async current(): Promise<string | undefined> {
    return (await this.locked()).shrinkwrap.image ?? undefined;
  }

  #step(program: 'docker' | 'podman'): StackStep {
    const { runtime, after } = this.#options;
    const { image } = this.#lock.shrinkwrap;
    const isLocal = runtime.endsWith('-local');
    const shown = image ?? `${OWN_IMAGE}:<version of shrinkwrap>`;
    const pull = (name: string): StackCommand => ({ argv: [program, 'pull', name], unattended: true });
    return {
      name: 'image',
      title: 'Look up the digest of the container image',
      inputs: { image: shown, runtime },
      after: [after],
      commands: isLocal ? [] : [pull(shown)],
      expects: '1 to 10 min, 3 GB',
      run: async (context) => {
        const name = image ?? (await this.#ownImage());
        const failure = isLocal ? undefined : await attempt(context, pull(name));
        const digest = await repositoryDigest(program, name, failure);
        const found = digest === undefined ? name : `${withoutTag(name)}@${digest}`;
        if (digest === undefined) {
          await context.note(`${name} was made here and has no digest to pin: the stack uses it by its name`);
        } else if (failure !== undefined) {
          await context.note(`${name} could not be pulled, so it is the one that is here: ${digest}`);
        }
        const resolved = withImage(this.#lock, { image: found, imageTag: name });
        await writeAtomically(this.#layout.ownLock, lockFormat.format(resolved));
      },
      inspect: async () => {
        const { image: found, imageTag } = (await this.locked()).shrinkwrap;
        if (found === null || imageTag === undefined) throw new Error('the image has no digest yet');
        return { image: found, tag: imageTag };
      },
    };
  }

  async #ownImage(): Promise<string> {
    const { command } = this.#options;
    const { image } = await mergedConfig(command, this.#layout, this.#lock);
    if (image !== undefined) return image;
    // 'shrinkwrap version 2026.6.0'
    const version = /(\d[\w.-]*)$/.exec(await shrinkwrapVersion(command))?.[1];
    if (version !== undefined) return `${OWN_IMAGE}:${version}`;
    throw new PetriError(`${command} --version names no version, so its container image is not known`, {
      code: 'tool-failed',
      step: 'install',
      remedy: 'name the image in a lock file of your own: shrinkwrap.image; or install with --runtime null',
    });
  }
}

export function isDigest(image: string | null): boolean {
  return image?.includes('@') === true;
}

function withImage(lock: LockFile, resolved: { readonly image: string | null; readonly imageTag: string }): LockFile {
  return { ...lock, shrinkwrap: { ...lock.shrinkwrap, ...resolved } };
}

/** The error of a command, or undefined if it succeeded. @throws PetriError `interrupted`, `tool-missing` */
async function attempt(context: StepContext, command: StackCommand): Promise<PetriError | undefined> {
  try {
    await context.command(command);
    return undefined;
  } catch (error) {
    if (error instanceof PetriError && error.code === 'tool-failed') return error;
    throw error;
  }
}

/**
 * The digest under which a local image was pulled; undefined for one that was built locally.
 *
 * @param failure why it could not be pulled
 * @throws PetriError `tool-failed` if it is not local
 */
async function repositoryDigest(
  program: 'docker' | 'podman',
  name: string,
  failure: PetriError | undefined,
): Promise<string | undefined> {
  let answer: string;
  try {
    answer = await ask([program, 'image', 'inspect', '--format', '{{json .RepoDigests}}', name]);
  } catch (error) {
    const why = failure ?? error;
    throw new PetriError(`there is no container image ${name}: ${why instanceof Error ? why.message : String(why)}`, {
      code: 'tool-failed',
      step: 'install',
      remedy: `make '${program} pull ${name}' work, or name another image in a lock file of your own (shrinkwrap.image)`,
      cause: why,
    });
  }
  const digests: unknown = JSON.parse(answer === '' ? '[]' : answer);
  const wanted = shortName(withoutTag(name));
  const found = (Array.isArray(digests) ? digests : [])
    .map((entry) => /^(\S+)@(sha256:[0-9a-f]{64})$/.exec(String(entry)))
    .find((match) => shortName(match?.[1] ?? '') === wanted);
  return found?.[2];
}

function withoutTag(name: string): string {
  return name.replace(/:[\w.-]+$/, '');
}

/** Removes docker.io's name, which docker omits and podman prints. */
function shortName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, '');
}
