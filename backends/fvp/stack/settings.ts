import { z } from 'zod';

import { runtimes } from './installed.ts';

export const settingsSchema = z.object({
  runtime: z.enum(runtimes).optional(),
  tmkVmm: z.string().optional(),
  shrinkwrap: z.string().optional(),
  /** Lock file instead of the one of the package. */
  lockFile: z.string().optional(),
});

/** The user's choices at the installation of the FVP stack. */
export type StackSettings = z.infer<typeof settingsSchema>;
