import { readMisbehaviour } from '../misbehaviour.ts';
import { CommandLineError, parseCommandLine, type ModelCommandLine } from './command-line.ts';
import { generationOf, Model } from './model.ts';
import { ModelOutput, versionText } from './model-output.ts';
import { listParameters } from './parameters.ts';

/** `FVP_Base_RevC-2xAEMvA` as people and shrinkwrap start it. */
export async function main(argv: readonly string[]): Promise<void> {
  const misbehaviour = readMisbehaviour(process.env, !argv.includes('--version') && !argv.includes('--list-params'));
  const output = new ModelOutput({
    generation: generationOf(misbehaviour),
    // stdbuf(1) tells by this variable that lines are to go out at once.
    buffered: misbehaviour.has('buffered') && !process.stdout.isTTY && process.env['_STDBUF_O'] !== 'L',
  });
  let command: ModelCommandLine;
  try {
    command = parseCommandLine(argv, misbehaviour.value('refuse'));
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    process.stderr.write(`Error: FVP_Base_RevC_2xAEMvA: In command line: ${error.message}\n`);
    process.exitCode = 1;
    return;
  }
  if (command.version || command.help || command.listParameters) {
    output.print(command.listParameters ? listParameters() : versionText);
    output.flush();
    return;
  }
  const model = new Model(command, misbehaviour, output);
  process.on('SIGUSR2', () => void model.powerOff());
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!misbehaviour.has('stubborn')) model.die(signal);
    });
  }
  // Ctrl-C ends the simulation in order.
  process.on('SIGINT', () => {
    if (!misbehaviour.has('stubborn')) void model.powerOff();
  });
  // Nothing else may keep the process: a model that hangs does not end.
  setInterval(() => {}, 1 << 30);
  await model.run();
}
