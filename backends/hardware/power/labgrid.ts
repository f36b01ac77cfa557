import type { PowerAction } from '../../../petri/backend.ts';
import { PetriError } from '../../../petri/errors.ts';
import { labgridCommand, type LabgridConfig } from '../lease/labgrid-client.ts';
import { labgridLease } from '../lease/labgrid-lease.ts';
import type { Lease } from '../lease/lease.ts';
import { runPowerCommand } from './run-command.ts';

/**
 * Switches power through labgrid's client, which does that for places that are acquired alone: one that is free is acquired for the
 * moment. Where it is not, labgrid judges whether we are who has it.
 *
 * @param seconds that the switch may take
 * @throws PetriError `power-failed`, `lease-lost`, `tool-missing`
 */
export async function labgridPower(
  name: string,
  lease: LabgridConfig,
  action: PowerAction,
  { resource, timeout }: { readonly resource?: string | undefined; readonly timeout: number },
): Promise<string> {
  const held = await acquireIfFree(name, lease);
  try {
    const verb = action === 'status' ? 'get' : action;
    const args = ['power', verb, ...(resource === undefined ? [] : ['-n', resource])];
    return await runPowerCommand(name, labgridCommand(lease, args), timeout);
  } finally {
    await held?.release();
  }
}

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
