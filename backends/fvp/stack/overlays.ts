import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { digestFiles, type StackStep, writeAtomically } from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';

/** Our overlays for shrinkwrap, other than the one that is made from the lock. */
const shipped = { planes: 'petri-planes.yaml', consoles: 'petri-consoles.yaml' } as const;
const revisions = 'petri-revisions.yaml';

/** Overlays of the configuration before revisions are pinned: shrinkwrap's own, then ours. */
export function configOverlays(layout: StackLayout, lock: LockFile): string[] {
  return [...lock.shrinkwrap.overlays, join(layout.overlays, shipped.planes)];
}

/** Overlays for `shrinkwrap build`, absolute, in the order in which they are applied. */
export function buildOverlays(layout: StackLayout): string[] {
  return [join(layout.overlays, shipped.planes), join(layout.overlays, revisions)];
}

/** Overlays for `shrinkwrap run`: the `run` parts of the build's overlays have to be given again. */
export function runOverlays(layout: StackLayout): string[] {
  return [join(layout.overlays, shipped.planes), join(layout.overlays, shipped.consoles)];
}

/** Writes the overlays: ours, and the revisions of the lock. */
export function overlaysStep(layout: StackLayout, lock: LockFile): StackStep {
  const contents = { ...buildContents(lock), [shipped.consoles]: readShipped(shipped.consoles) };
  const paths = Object.fromEntries(Object.keys(contents).map((name) => [name, join(layout.overlays, name)]));
  return {
    name: 'overlays',
    title: 'Write the shrinkwrap overlays',
    inputs: digests(contents),
    commands: [],
    async run() {
      for (const [name, text] of Object.entries(contents)) await writeAtomically(join(layout.overlays, name), text);
    },
    inspect: async () => await digestFiles(paths),
  };
}

/** The content of the overlays that affects `shrinkwrap build`, as inputs of that step. */
export function overlayInputs(lock: LockFile): Record<string, string> {
  const pinned = Object.entries(lock.sources).filter(([, source]) => source.component !== undefined);
  const inputs = digests({ [shipped.planes]: readShipped(shipped.planes) });
  for (const [name, source] of pinned) inputs[name] = `${source.revision ?? source.ref ?? ''} of ${source.repository}`;
  return inputs;
}

function buildContents(lock: LockFile): Record<string, string> {
  return { [shipped.planes]: readShipped(shipped.planes), [revisions]: revisionsOverlay(lock) };
}

function readShipped(name: string): string {
  return readFileSync(join(artifactsFolder(), 'cca', 'overlays', name), 'utf8');
}

function digests(contents: Readonly<Record<string, string>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, text] of Object.entries(contents)) result[name] = createHash('sha256').update(text).digest('hex');
  return result;
}

/** Repositories and revisions of everything that shrinkwrap fetches and the lock pins. */
export function revisionsOverlay(lock: LockFile): string {
  const build: Record<string, { repo: Record<string, unknown> }> = {};
  for (const source of Object.values(lock.sources)) {
    if (source.component === undefined) continue;
    const [component = '', inside] = source.component.split('/');
    const repo = { remote: source.repository, revision: source.revision ?? `<the commit of ${source.ref ?? ''}>` };
    const others = build[component]?.repo ?? {};
    build[component] = { repo: inside === undefined ? { ...others, ...repo } : { ...others, [inside]: repo } };
  }
  const overlay = { description: 'Revisions from the lock file of petri-vm.', build };
  return `# Made by petri-vm from the lock file.\n%YAML 1.2\n---\n${stringify(overlay, { lineWidth: 0 })}`;
}
