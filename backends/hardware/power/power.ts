import type { PowerAction } from '../../../petri/contract/index.ts';
import type { LeaseConfig, PowerConfig } from '../hosts/schema.ts';
import { commandPower } from './command.ts';
import { ipmiPower } from './ipmi.ts';
import { labgridPower } from './labgrid.ts';
import { redfishPower } from './redfish.ts';
import type { PowerRequest, PowerSwitch } from './request.ts';

/** Every kind of switch that a hosts file may name. */
const switches: { readonly [Kind in PowerConfig['kind']]: PowerSwitch<Kind> } = {
  command: commandPower,
  ipmi: ipmiPower,
  labgrid: labgridPower,
  redfish: redfishPower,
};

/**
 * Switches a board's power, or queries it. Does nothing if the state is right already. Returns the output of the
 * switch, without secrets.
 *
 * @param lease of the board, if labgrid switches its power
 * @throws PetriError `power-failed`, `tool-missing`
 */
export async function switchBoard(
  name: string,
  config: PowerConfig,
  action: PowerAction,
  lease?: LeaseConfig,
): Promise<string> {
  return await run(config.kind, { name, config, action, lease });
}

async function run<Kind extends PowerConfig['kind']>(
  kind: Kind,
  request: PowerRequest<PowerConfig['kind']>,
): Promise<string> {
  // Safe: the kind is that of the request's own configuration.
  return await switches[kind](request as PowerRequest<Kind>);
}
