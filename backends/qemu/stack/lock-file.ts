import { z } from 'zod';

import { lockFields, LockFormat } from '../../../petri/kit/stack/index.ts';

const buildOptions = z.record(z.string().regex(/^[A-Z]\w*$/), z.string().regex(/^[\w./,+-]*$/));

const lockSchema = z.strictObject({
  ...lockFields,
  platform: z.literal('qemu'),
  /** Variables for the builds of firmware. */
  options: z.strictObject({ tfrmm: buildOptions, tfa: buildOptions }),
});

export type LockFile = z.infer<typeof lockSchema>;

/** Every source that the plan has steps for. */
export const sourceNames = [
  ...(['tfrmm', 'tfa', 'edk2', 'host-linux', 'plane0-linux', 'kvmtool', 'dtc', 'busybox', 'openvmm'] as const),
  'qemu',
] as const;

export const lockFormat = new LockFormat<LockFile>({
  schema: lockSchema,
  stack: 'QEMU stack for realms',
  documentation: 'docs/qemu-stack.md',
  install: 'petri cca install --platform=qemu',
  indispensable: sourceNames,
});
