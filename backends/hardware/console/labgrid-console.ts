import type { ConsoleSource, HostConfig } from '../hosts/schema.ts';
import { labgridCommand } from '../lease/labgrid-client.ts';

export type DirectSource = Exclude<ConsoleSource, { readonly kind: 'labgrid' }>;

/** The consoles of a host. Those of labgrid are a command of labgrid's client, for which the place must be acquired. */
export function consoleSources({ consoles, lease }: Pick<HostConfig, 'consoles' | 'lease'>): DirectSource[] {
  return consoles.map((source) => {
    if (source.kind !== 'labgrid') return source;
    if (lease.kind !== 'labgrid') throw new Error('the schema has no such console where the lease is not of labgrid');
    const { name, resource, lineEnding } = source;
    return {
      kind: 'command',
      name,
      argv: labgridCommand(lease, ['console', ...(resource === undefined ? [] : [resource])]),
      ...(lineEnding === undefined ? {} : { lineEnding }),
    };
  });
}
