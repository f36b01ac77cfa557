import { ExitCodeGuest } from '../guests/exit-code-guest.ts';
import { TmkVmmGuest } from '../guests/tmk-vmm-guest.ts';
import type { CommandConfig } from '../hosts/schema.ts';
import { fillTemplate } from '../hosts/template.ts';
import { templateValues, type ProgramMaker } from './program.ts';

/** A command of the user's own. */
export const commandProgram: ProgramMaker<CommandConfig> = async (config, context) => {
  const { spec, testIndex, home, serial, launcher, log } = context;
  const payload = await home.put(spec.payload.path);
  const guest =
    config.output === 'exit-code'
      ? new ExitCodeGuest(serial)
      : new TmkVmmGuest({
          image: spec.payload.image,
          serial,
          launcher: (bytes) => launcher?.push(bytes),
          log,
        });
  return {
    guest,
    env: config.env,
    terminal: config.terminal,
    argv: (folder) => {
      const values = templateValues(spec, testIndex, { payload, folder });
      return config.argv.map((argument) => fillTemplate(argument, values));
    },
  };
};
