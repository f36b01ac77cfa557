import type { OptionValues } from './options.ts';

const json = { help: 'Print JSON' } as const;
export const listOptions = {
  backend: { value: 'name', help: 'Only this backend' },
  isolation: { value: 'types', repeatable: true, help: 'As for a run: tests of other types are not selected' },
  json,
} as const;
export const doctorOptions = {
  backend: { value: 'name', help: 'Only this backend; the exit code says whether it can run here' },
  json,
} as const;
export const sweepOptions = { json } as const;

/** What `list` and `doctor` take. */
export type CommandOptions = OptionValues<typeof listOptions>;
