import type { PowerAction } from '../../../petri/backend.ts';
import type { LeaseConfig, PowerConfig } from '../hosts/schema.ts';
import { failed } from './failed.ts';
import { labgridPower } from './labgrid.ts';
import { redfish } from './redfish.ts';
import { runPowerCommand } from './run-command.ts';

/**
 * Switches a board's power, or asks how it is. Tells what the switch said, without secrets.
 *
 * @param lease of the board, where labgrid has its power
 * @throws PetriError `power-failed`, `tool-missing`
 */
export async function switchBoard(
  name: string,
  config: PowerConfig,
  action: PowerAction,
  lease?: LeaseConfig,
): Promise<string> {
  switch (config.kind) {
    case 'command': {
      const argv = config[action];
      if (argv !== undefined) return await runPowerCommand(name, argv, config.timeout);
      if (action === 'cycle') {
        const off = await runPowerCommand(name, config.off, config.timeout);
        return `${off}\n${await runPowerCommand(name, config.on, config.timeout)}`.trim();
      }
      throw failed(name, `its hosts file has no command for '${action}'`, `add power.${action}`);
    }
    case 'ipmi': {
      const { command, address, user, timeout } = config;
      // -E: the password comes from IPMI_PASSWORD, which `ps` does not show.
      const argv = [command, '-I', 'lanplus', '-H', address, '-U', user, '-E', 'chassis', 'power', action];
      return await runPowerCommand(name, argv, timeout, { IPMI_PASSWORD: secret(name, config.passwordEnv) });
    }
    case 'labgrid':
      if (lease?.kind === 'labgrid') return await labgridPower(name, lease, action, config);
      throw failed(name, "its lease is not of labgrid's", 'add `lease: { kind: labgrid, place: … }`');
    case 'redfish':
      return await redfish(name, config, secret(name, config.passwordEnv), action);
  }
}

function secret(name: string, variable: string): string {
  const value = process.env[variable];
  if (value !== undefined && value !== '') return value;
  throw failed(name, `${variable} is not set`, `set ${variable} to the password of its BMC`);
}
