import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PetriError } from '../../../petri/errors.ts';
import { runSteps, type StackPlan, type StackStep, writeAtomically } from '../../../petri/kit/stack/index.ts';
import { ContainerImage, type ImageOptions } from './container-image.ts';
import { StackLayout } from './layout.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { FvpWorld } from './testing/fvp-world.ts';

const own = 'docker.io/shrinkwraptool/base-slim:2026.6.0';
const first = `sha256:${'1'.repeat(64)}`;
const second = `sha256:${'2'.repeat(64)}`;
const pinned = (digest: string): string => `docker.io/shrinkwraptool/base-slim@${digest}`;

describe('the container image', () => {
  let folder: string;
  let world: FvpWorld;
  let layout: StackLayout;
  let before: NodeJS.ProcessEnv;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-image-'));
    world = new FvpWorld(join(folder, 'world'));
    layout = new StackLayout(join(folder, 'cca'));
    before = process.env;
    process.env = { ...before, ...world.env() };
  });

  afterEach(() => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  });

  function shrinkwrap(image: string | null = null): string {
    const merged = JSON.stringify({ name: null, image, build: { tfa: {} } });
    world.installProgram(
      'shrinkwrap',
      `case "$1" in --version) echo 'shrinkwrap version 2026.6.0' ;; process) echo '${merged}' ;; esac`,
    );
    return join(world.folder, 'bin', 'shrinkwrap');
  }

  async function lockWith(image: string | null): Promise<LockFile> {
    const lock = await lockFormat.read(world.lockFile);
    return { ...lock, shrinkwrap: { ...lock.shrinkwrap, image } };
  }

  /** Installs only the image. */
  async function install(lock: LockFile, options: Partial<ImageOptions> & { readonly force?: boolean } = {}) {
    const image = new ContainerImage(layout, lock, {
      command: options.command ?? shrinkwrap(),
      after: 'shrinkwrap',
      runtime: options.runtime ?? 'docker',
    });
    const notes: string[] = [];
    const tool: StackStep = {
      name: 'shrinkwrap',
      title: 'shrinkwrap',
      inputs: {},
      commands: [],
      run: async () => {},
      inspect: async () => await Promise.resolve({ version: 'one' }),
    };
    const locked = await image.locked();
    const plan: StackPlan = {
      root: layout.root,
      steps: [tool, ...(image.step === undefined ? [] : [image.step])],
      seal: layout.stackFile,
      notes: [],
      begin: async () => await writeAtomically(layout.ownLock, lockFormat.format(locked)),
    };
    const none = (): void => undefined;
    const { ran } = await runSteps(plan, {
      reporter: {
        ...{ skipped: none, started: none, finished: none, failed: none, waiting: none },
        note: (_step, message) => notes.push(message),
      },
      signal: new AbortController().signal,
      force: new Set(options.force === true ? ['image'] : []),
    });
    return { ran, notes, image: await image.current() };
  }

  it("pins the image of shrinkwrap's version, keeps the digest, and resolves it again on request", async () => {
    world.publishImages({ [own]: first });
    const lock = await lockWith(null);
    expect(await install(lock)).toEqual({ ran: ['shrinkwrap', 'image'], notes: [], image: pinned(first) });
    const written = await lockFormat.read(layout.ownLock);
    expect(written.shrinkwrap).toMatchObject({ image: pinned(first), imageTag: own });

    world.publishImages({ [own]: second });
    expect(await install(lock)).toEqual({ ran: [], notes: [], image: pinned(first) });
    expect(await install(lock, { force: true })).toMatchObject({ ran: ['image'], image: pinned(second) });
  });

  it('follows a tag of the lock, and the image that the configuration of shrinkwrap names', async () => {
    const mine = 'registry.example/tools/build:v3';
    world.publishImages({ [mine]: first });
    expect((await install(await lockWith(mine))).image).toBe(`registry.example/tools/build@${first}`);
    rmSync(layout.root, { recursive: true });
    expect((await install(await lockWith(null), { command: shrinkwrap(mine) })).image).toBe(
      `registry.example/tools/build@${first}`,
    );
  });

  it('uses a digest of the lock unchanged, and needs nothing without containers', async () => {
    world.publishImages(undefined);
    expect(await install(await lockWith(pinned(second)))).toEqual({
      ran: ['shrinkwrap'],
      notes: [],
      image: pinned(second),
    });
    expect(await install(await lockWith(null), { runtime: 'null' })).toEqual({ ran: [], notes: [], image: undefined });
  });

  it('uses the local image without a network, and reports it', async () => {
    world.publishImages(undefined);
    world.haveImages({ [own]: first });
    const { notes, image } = await install(await lockWith(null));
    expect(image).toBe(pinned(first));
    expect(notes).toEqual([expect.stringMatching(/could not be pulled, so it is the one that is here: sha256:1/)]);
  });

  it('reports that a locally built image cannot be pinned', async () => {
    world.haveImages({ [own]: '-' });
    const { notes, image } = await install(await lockWith(null), { runtime: 'docker-local' });
    expect(image).toBe(own);
    expect(notes).toEqual([expect.stringMatching(/was made here and has no digest to pin/)]);
  });

  it('fails with a typed error if the image is neither local nor available', async () => {
    world.publishImages(undefined);
    const error = await install(await lockWith(null)).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(PetriError);
    expect(error).toMatchObject({ code: 'tool-failed', message: expect.stringContaining(`no container image ${own}`) });
    expect(String(error)).toMatch(/no such host[\s\S]*remedy: .*docker pull/);
    expect(readFileSync(layout.ownLock, 'utf8')).not.toContain('imageTag');
  });

  it('ignores the digest of another repository', async () => {
    world.publishImages(undefined);
    world.installProgram('docker', `[ "$1" = image ] && { echo '["elsewhere/base-slim@${first}"]'; exit; }; exit 1`);
    expect((await install(await lockWith(null))).image).toBe(own);
  });
});
