import type { LeaseConfig } from '../hosts/schema.ts';

export type LabgridConfig = LeaseConfig & { readonly kind: 'labgrid' };

/** A command of labgrid's client for the place of a host. */
export function labgridCommand({ command, coordinator, place }: LabgridConfig, args: readonly string[]): string[] {
  return [...command, ...(coordinator === undefined ? [] : ['-x', coordinator]), '-p', place, ...args];
}
