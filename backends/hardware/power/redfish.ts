import * as z from 'zod';

import type { PowerAction } from '../../../petri/contract/index.ts';
import { failed } from './failed.ts';
import { RedfishClient } from './redfish-client.ts';
import { secret, type PowerSwitch } from './request.ts';
import { untilOff } from './until-off.ts';

/**
 * Values of ResetType (DMTF DSP0268, Resource.ResetType) for each request, best first. The first is used if a BMC does
 * not list which it supports.
 */
const RESET_TYPES = {
  on: ['On', 'ForceOn'],
  off: ['ForceOff', 'GracefulShutdown'],
  cycle: ['PowerCycle', 'FullPowerCycle'],
} as const;

const text = z.string().max(1000);
const values = z.array(text).max(100);
const resetAction = z.object({
  target: text.optional(),
  'ResetType@Redfish.AllowableValues': values.optional(),
  '@Redfish.ActionInfo': text.optional(),
});
const computerSystem = z.object({
  PowerState: text.optional().catch(undefined),
  Actions: z
    .object({ '#ComputerSystem.Reset': resetAction.optional().catch(undefined) })
    .optional()
    .catch(undefined),
});
const actionInfo = z.object({
  Parameters: z.array(z.object({ Name: text, AllowableValues: values.optional().catch(undefined) })).max(100),
});

interface System {
  /** Base of its relative URLs. */
  readonly url: string;
  readonly power: string | undefined;
  readonly reset: z.infer<typeof resetAction> | undefined;
}

/** The service of a BMC (DMTF DSP0266), which describes the capabilities and the state of its system. */
export const redfishPower: PowerSwitch<'redfish'> = async ({ name, config, action }) => {
  const client = new RedfishClient(name, config, secret(name, config.passwordEnv));
  const path = `${config.url.replace(/\/+$/, '')}/redfish/v1/Systems/${encodeURIComponent(config.system)}`;
  const look = async (): Promise<System> => {
    const { url, json } = await client.get(path);
    const parsed = computerSystem.safeParse(json);
    if (!parsed.success) throw failed(name, 'its BMC answers without a ComputerSystem', `look at ${path}`);
    return { url, power: parsed.data.PowerState, reset: parsed.data.Actions?.['#ComputerSystem.Reset'] };
  };
  const system = await look();
  if (action === 'status') {
    if (system.power !== undefined) return `Power is ${system.power}`;
    throw failed(name, 'its BMC answers without a PowerState', `look at ${path}`);
  }
  if (isSo(action, system.power)) return `Power is ${String(system.power)} already`;
  const allowed = await allowableValues(client, system);
  const target = new URL(system.reset?.target ?? `${path}/Actions/ComputerSystem.Reset`, system.url).href;
  const ask = async (wanted: 'on' | 'off' | 'cycle'): Promise<string | undefined> => {
    const type = RESET_TYPES[wanted].find((one) => allowed?.includes(one) ?? true);
    if (type === undefined) return undefined;
    const problem = await client.post(target, { ResetType: type });
    if (problem === undefined) return `${type} was asked for`;
    const { power } = await look();
    if (isSo(wanted, power)) return `Power is ${String(power)} already`;
    // Without a list, this status means that the value is not supported.
    if (wanted === 'cycle' && allowed === undefined && problem.status === 400) return undefined;
    throw problem.error;
  };
  const none = (): Error =>
    failed(name, `its BMC does not offer that: it has ${(allowed ?? []).join(', ')}`, `look at ${path}`);
  const demand = async (wanted: 'on' | 'off'): Promise<string> => {
    const said = await ask(wanted);
    if (said === undefined) throw none();
    return said;
  };
  if (action !== 'cycle') return await demand(action);
  if (system.power === 'Off') return await demand('on');
  const cycled = await ask('cycle');
  if (cycled !== undefined) return cycled;
  // Do not switch off a system that cannot be switched on again.
  if (allowed !== undefined && !RESET_TYPES.on.some((type) => allowed.includes(type))) throw none();
  const off = await demand('off');
  await untilOff(name, config.timeout, async () => (await look()).power === 'Off');
  return `${off}\n${await demand('on')}`;
};

function isSo(action: PowerAction, power: string | undefined): boolean {
  return (action === 'on' && power === 'On') || (action === 'off' && power === 'Off');
}

/**
 * The values in the action itself, or in a separate resource (DSP0266, 7.7 and 9.10); undefined if there is no list.
 */
async function allowableValues(client: RedfishClient, { url, reset }: System): Promise<readonly string[] | undefined> {
  const listed = reset?.['ResetType@Redfish.AllowableValues'];
  const info = reset?.['@Redfish.ActionInfo'];
  if (listed !== undefined || info === undefined) return listed;
  const parsed = actionInfo.safeParse((await client.get(new URL(info, url).href)).json);
  return parsed.success ? parsed.data.Parameters.find(({ Name }) => Name === 'ResetType')?.AllowableValues : undefined;
}
