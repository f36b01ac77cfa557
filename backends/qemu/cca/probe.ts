import { access } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Missing, Feature } from '../../../petri/contract/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import { probeImageTools } from '../../../petri/kit/image/index.ts';
import type { Asked } from '../ask-qemu.ts';
import { readInstalledStack, stackRoot, type InstalledStack } from '../stack/installed.ts';
import { HOST_MEMORY, realmMachines } from './identity.ts';

export const realmFeatures: readonly Feature[] = ['tmk', 'tmk.events', 'reset'];

const installRemedy = 'run: npx petri cca install --platform=qemu';
const needed = 'virtio-blk-pci';

export interface RealmProbe {
  /** What prevents realms here; empty if nothing does. */
  readonly missing: readonly Missing[];
  /** Machines at once. */
  readonly parallel: number;
  readonly facts: Readonly<Record<string, string>>;
}

/**
 * Checks whether realms can be made, with the QEMU and the installed stack. Never throws.
 *
 * @param ask queries the QEMU at a path; without one, the QEMU that the backend uses for everything else
 */
export async function probeRealms(ask: (command: string | undefined) => Promise<Asked>): Promise<RealmProbe> {
  const missing: Missing[] = [];
  const facts: Record<string, string> = {};
  try {
    const parallel = realmMachines();
    const stack = installed(missing);
    missing.push(...lacksRme(await ask(stack?.qemu), stack));
    if (stack !== undefined) {
      missing.push(...(await lacksFiles(stack)));
      facts['realm stack'] = stack.lockDigest;
      for (const [name, revision] of Object.entries(stack.revisions)) facts[`realm stack.${name}`] = revision;
      facts['realm planes'] = 'an RTT tree for each plane: QEMU has no FEAT_S2POE';
      facts['realm machines'] = `${parallel} at once`;
    }
    missing.push(...(await probeImageTools()), ...lacksMemory());
    return { missing, parallel, facts };
  } catch (error) {
    return { missing: [...missing, told(error, 'correct it, then run petri doctor again')], parallel: 1, facts };
  }
}

function installed(missing: Missing[]): InstalledStack | undefined {
  try {
    return readInstalledStack(stackRoot(process.cwd()));
  } catch (error) {
    missing.push(told(error, installRemedy));
    return undefined;
  }
}

function lacksRme({ version, cpuProperties, devices }: Asked, stack: InstalledStack | undefined): Missing[] {
  const missing: Missing[] = [];
  if (!cpuProperties.includes('x-rme')) {
    missing.push({
      what: `QEMU ${version} has no CPU with RME (x-rme)${stack?.qemu === undefined ? '' : `, and the stack names it: ${stack.qemu}`}`,
      remedy: 'use QEMU 10 or newer: install it, or let PETRI_QEMU name it',
    });
  }
  if (!devices.includes(needed)) {
    missing.push({
      what: `QEMU ${version} has no device '${needed}'`,
      remedy: 'install a complete QEMU: apt-get install qemu-system-arm',
    });
  }
  return missing;
}

async function lacksFiles({ files }: InstalledStack): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const [name, path] of Object.entries(files)) {
    if (path === undefined) continue;
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push({ what: `the stack's ${name} is not at ${path}`, remedy: installRemedy });
  }
  return missing;
}

function lacksMemory(): Missing[] {
  const here = Math.floor(totalmem() / 2 ** 20);
  if (here > HOST_MEMORY || (process.env['PETRI_QEMU_CCA_MACHINES'] ?? '') !== '') return [];
  return [
    {
      what: `a machine with realms has ${HOST_MEMORY} MiB of memory, and this one has ${here}`,
      remedy: 'use a bigger machine, or set PETRI_QEMU_CCA_MACHINES=1 to use it anyway',
    },
  ];
}

function told(error: unknown, remedy: string): Missing {
  const [what = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return { what, remedy: (error instanceof PetriError ? error.remedy : undefined) ?? remedy };
}
