import { failed } from './failed.ts';
import type { PowerSwitch } from './request.ts';
import { runPowerCommand } from './run-command.ts';

/** Runs commands of the hosts file; without one for a cycle, `off` and `on`. */
export const commandPower: PowerSwitch<'command'> = async ({ name, config, action }) => {
  const argv = config[action];
  if (argv !== undefined) return await runPowerCommand(name, argv, config.timeout);
  if (action === 'cycle') {
    const off = await runPowerCommand(name, config.off, config.timeout);
    return `${off}\n${await runPowerCommand(name, config.on, config.timeout)}`.trim();
  }
  throw failed(name, `its hosts file has no command for '${action}'`, `add power.${action}`);
};
