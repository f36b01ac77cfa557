import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

import { identify, sha256Of } from '../../../../petri/artifacts/index.ts';
import type { LinuxPayload, VmConfig } from '../../../../petri/contract/index.ts';
import { agentInitramfs } from '../../../../petri/kit/linux/index.ts';
import { packageRoot } from '../../../../petri/package-root.ts';

/** Folder of the simulator. */
const sources = new URL('../../', import.meta.url);

let ours: string | undefined;

/** Digest of everything that a booted state depends on. @throws Error of the system */
export function stateKey(payload: LinuxPayload, { memory, vcpus }: VmConfig): string {
  ours ??= simulatorDigest();
  const initramfs = createHash('sha256').update(agentInitramfs(payload)).digest('hex');
  // Disks are large, and the guest may have read from any place: whoever changes a file changes its time.
  const disk = payload.disk === undefined ? null : [payload.disk, identify(payload.disk)];
  const parts = [ours, sha256Of(payload.path), initramfs, payload.commandLine, memory, vcpus, disk];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Of our version, and of the code of the simulator: what a guest does may change with both. */
function simulatorDigest(): string {
  const hash = createHash('sha256').update(readFileSync(new URL('package.json', packageRoot)));
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name) && !/\.(test|d)\.[jt]s$/.test(name))
    .sort();
  for (const name of files) hash.update(`${name}\n`).update(readFileSync(new URL(name, sources)));
  return hash.digest('hex');
}
