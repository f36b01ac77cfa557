import { ExitCodeGuest } from '../guests/exit-code-guest.ts';
import type { LauncherConfig } from '../hosts/schema.ts';
import { fillTemplate } from '../hosts/template.ts';
import { templateValues, type ProgramMaker } from './program.ts';

type CommandConfig = LauncherConfig & { readonly kind: 'command' };

/** A command of the user's own. */
export const commandProgram: ProgramMaker<CommandConfig> = async (config, context) => {
  const { spec, testIndex, home, serial } = context;
  const payload = await home.put(spec.payload.path);
  return {
    guest: new ExitCodeGuest(serial),
    env: config.env,
    terminal: config.terminal,
    argv: (folder) => {
      const values = templateValues(spec, testIndex, { payload, folder });
      return config.argv.map((argument) => fillTemplate(argument, values));
    },
  };
};
