import { z } from 'zod';

import { lockFields, LockFormat } from '../../../petri/kit/stack/index.ts';

const configName = z.string().regex(/^\w[\w./-]*\.yaml$/, 'must be the name of a .yaml file');
// shrinkwrap inserts variables into shell scripts without quoting.
const variable = z.string().regex(/^(?:[\w./=@,+: -]|\$\{artifact:\w+\})*$/, 'must not have shell characters');

const lockSchema = z.strictObject({
  ...lockFields,
  platform: z.literal('fvp'),
  shrinkwrap: z.strictObject({
    config: configName,
    image: z
      .string()
      // shrinkwrap takes what follows the only colon as the tag, so a digest takes the place of a tag.
      .regex(/^[\w./-]+(?::[\w.-]+|@sha256:[0-9a-f]{64})?$/, 'must be NAME, NAME:TAG or NAME@sha256:DIGEST')
      .nullable(),
    /** In a user's own lock file: the tag whose digest `image` is. */
    imageTag: z.string().optional(),
    overlays: z.array(configName),
    variables: z.record(z.string().regex(/^\w+$/), variable),
  }),
  python: z.record(z.string().regex(/^[a-z0-9][\w.-]*$/i), z.string().regex(/^\w[\w.!+-]*$/)),
});

export type LockFile = z.infer<typeof lockSchema>;

export const lockFormat = new LockFormat<LockFile>({
  schema: lockSchema,
  stack: 'FVP stack',
  documentation: 'docs/fvp-stack.md',
  install: 'petri cca install',
  indispensable: ['shrinkwrap', 'plane0-linux', 'openvmm', 'tfa', 'tfrmm', 'host-linux', 'kvmtool'],
});
