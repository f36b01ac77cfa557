import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { artifactPath, artifactsFolder, ownManifest } from '../../../artifacts/index.ts';
import type { GuestPayload } from '../index.ts';
import type { InjectedFile } from '../../image/index.ts';
import type { TmkPayload } from '../../../contract/index.ts';
import type { HostFiles } from './host-platform.ts';

const EXECUTABLE = 0o755;

/** A payload named by the digest of its content, so that a changed file has another name. */
export function guestPayload(path: string): GuestPayload {
  const content = readFileSync(path);
  return { name: `tmk/${createHash('sha256').update(content).digest('hex').slice(0, 16)}.elf`, content };
}

/** Everything that is added to the root file system of the host. */
export interface GuestFiles {
  readonly files: readonly InjectedFile[];
  /** Names of the payloads among them. */
  readonly payloads: ReadonlySet<string>;
}

/**
 * @param nonce printed by the host agent when it is ready
 * @param payload the requested one; the prebuilt ones of this package are always included
 */
export function guestFiles(files: HostFiles, nonce: string, payload: TmkPayload): GuestFiles {
  const manifest = ownManifest();
  const ownPayloads = manifest.artifacts
    .filter((artifact) => artifact.name.startsWith('tmk-'))
    .map((artifact) => artifactPath(manifest, artifact));
  const payloads = new Map(
    [...ownPayloads, payload.path].map((path) => {
      const { name, content } = guestPayload(path);
      return [name, content];
    }),
  );
  const script = (name: string): string => join(artifactsFolder(), 'cca', 'guest', name);
  return {
    payloads: new Set(payloads.keys()),
    files: [
      { path: '/cca/Image', source: files.plane0Kernel },
      { path: '/cca/lkvm', source: files.lkvm, mode: EXECUTABLE },
      { path: '/cca/tmk_vmm', source: files.tmkVmm, mode: EXECUTABLE },
      { path: '/cca/host-agent.sh', source: script('host-agent.sh'), mode: EXECUTABLE },
      { path: '/cca/plane0-agent.sh', source: script('plane0-agent.sh'), mode: EXECUTABLE },
      { path: '/cca/nonce', source: Buffer.from(`${nonce}\n`) },
      { path: '/etc/init.d/S99petri', source: script('S99petri'), mode: EXECUTABLE },
      ...[...payloads].map(([name, source]) => ({ path: `/cca/${name}`, source })),
    ],
  };
}
