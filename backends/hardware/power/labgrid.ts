import { PetriError } from '../../../petri/errors.ts';
import { labgridCommand, type LabgridConfig } from '../lease/labgrid-client.ts';
import { labgridLease } from '../lease/labgrid-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { failed } from './failed.ts';
import type { PowerSwitch } from './request.ts';
import { runPowerCommand } from './run-command.ts';

/**
 * Switches power through labgrid's client, which requires the place to be acquired: a free one is acquired temporarily.
 * Otherwise labgrid decides whether we own it.
 */
export const labgridPower: PowerSwitch<'labgrid'> = async ({ name, config, action, lease }) => {
  if (lease?.kind !== 'labgrid') {
    throw failed(name, "its lease is not of labgrid's", 'add `lease: { kind: labgrid, place: … }`');
  }
  const held = await acquireIfFree(name, lease);
  try {
    const { resource, timeout } = config;
    const verb = action === 'status' ? 'get' : action;
    const args = ['power', verb, ...(resource === undefined ? [] : ['-n', resource])];
    return await runPowerCommand(name, labgridCommand(lease, args), timeout);
  } finally {
    await held?.release();
  }
};

async function acquireIfFree(name: string, lease: LabgridConfig): Promise<Lease | undefined> {
  const giveUp = new AbortController();
  try {
    return await labgridLease(lease, name, {
      signal: giveUp.signal,
      onWait: () => {
        giveUp.abort();
      },
    });
  } catch (error) {
    if (error instanceof PetriError && error.code === 'wait-timeout') return undefined;
    throw error;
  }
}
