import { resolve } from 'node:path';

import { z } from 'zod';

import { PetriError } from '../../../petri/errors.ts';
import type { StackRequest } from '../../../petri/kit/stack/index.ts';
import type { QemuChoice } from './qemu-program.ts';

export const settingsSchema = z.object({
  tmkVmm: z.string().optional(),
  /** Path of a QEMU, or 'own'. */
  qemu: z.string().optional(),
  /** Only firmware is requested. */
  only: z.literal('firmware').optional(),
  /** What TF-A starts instead of EDK2. */
  bl33: z.string().optional(),
  /** Lock file instead of the one of the package. */
  lockFile: z.string().optional(),
});

/** The user's choices at the installation of the QEMU stack. */
export type StackSettings = z.infer<typeof settingsSchema>;

/**
 * The options given now, else those given before. 'own' and 'installed' for QEMU, and 'all' for the parts, reset
 * earlier choices.
 *
 * @throws PetriError `invalid-option`
 */
export function chosenSettings(request: StackRequest, before: StackSettings): StackSettings {
  const { env, cwd, given } = request;
  const path = (chosen: string | undefined): string | undefined =>
    chosen === undefined || chosen === '' || chosen === 'own' ? undefined : resolve(cwd, chosen);
  const variable = env['PETRI_TMK_VMM'] === '' ? undefined : env['PETRI_TMK_VMM'];
  const tmkVmm = path(given['tmk-vmm'] ?? variable ?? before.tmkVmm);
  const bl33 = path(given['bl33'] ?? before.bl33);
  const lockFile = path(request.lockFile ?? before.lockFile);
  const asked = given['qemu'] ?? before.qemu;
  const qemu = asked === 'own' ? asked : asked === 'installed' ? undefined : path(asked);
  return {
    ...(tmkVmm === undefined ? {} : { tmkVmm }),
    ...(qemu === undefined ? {} : { qemu }),
    ...(chosenPart(given['only'] ?? before.only ?? 'all') === 'firmware' ? { only: 'firmware' } : {}),
    ...(bl33 === undefined ? {} : { bl33 }),
    ...(lockFile === undefined ? {} : { lockFile }),
  };
}

function chosenPart(part: string): 'firmware' | 'all' {
  if (part === 'firmware' || part === 'all') return part;
  throw new PetriError(`--only: there is no part '${part}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: "it takes 'firmware' or 'all'",
  });
}

/** @param env where PETRI_QEMU names the QEMU that the backend uses */
export function qemuChoice({ qemu }: StackSettings, env: StackRequest['env']): QemuChoice {
  if (qemu === 'own') return { kind: 'own' };
  if (qemu !== undefined) return { kind: 'given', path: qemu };
  const chosen = env['PETRI_QEMU'];
  return { kind: 'installed', command: chosen === undefined || chosen === '' ? 'qemu-system-aarch64' : chosen };
}
