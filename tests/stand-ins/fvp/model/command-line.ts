import { isParameter } from './parameters.ts';

/** What the model was asked to do. */
export interface ModelCommandLine {
  readonly parameters: ReadonlyMap<string, string>;
  readonly statistics: boolean;
  readonly version: boolean;
  readonly listParameters: boolean;
  readonly help: boolean;
  /** A debug server was asked for: without `--run` the model waits for a debugger. */
  readonly debugServer: boolean;
  readonly run: boolean;
}

/** A command line that the model refuses. */
export class CommandLineError extends Error {}

const flags: Readonly<Record<string, keyof ModelCommandLine>> = {
  '--stat': 'statistics',
  '--version': 'version',
  '--list-params': 'listParameters',
  '-l': 'listParameters',
  '--help': 'help',
  '-h': 'help',
  '-I': 'debugServer',
  '--iris-server': 'debugServer',
  '-S': 'debugServer',
  '--cadi-server': 'debugServer',
  '-R': 'run',
  '--run': 'run',
};

/** Flags that change nothing here. */
const silent = new Set(['-A', '--iris-allow-remote', '-p', '--print-port-number', '-q', '--quiet', '--list-instances']);

/** Options with a value that changes nothing here. */
const ignored = new Set([
  '--iris-port',
  '--timelimit',
  '--simlimit',
  '-Q',
  '--quantum',
  '--data',
  '-a',
  '--application',
]);

/**
 * @param refused a parameter that this model is to have no name for
 * @throws CommandLineError
 */
export function parseCommandLine(argv: readonly string[], refused?: string): ModelCommandLine {
  const parameters = new Map<string, string>();
  const seen = new Set<keyof ModelCommandLine>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [option, inline] = splitOption(word);
    const value = (): string => {
      const given = inline ?? words.shift();
      if (given === undefined) throw new CommandLineError(`option '${option}' needs a value`);
      return given;
    };
    const flag = flags[option];
    if (option === '-C' || option === '--parameter') setParameter(parameters, value(), refused);
    else if (ignored.has(option)) value();
    else if (flag !== undefined) seen.add(flag);
    else if (/^-[IARp]{2,}$/.test(word)) expandShort(word, seen);
    else if (!silent.has(word)) throw new CommandLineError(`unrecognised option '${word}'`);
  }
  return {
    parameters,
    statistics: seen.has('statistics'),
    version: seen.has('version'),
    listParameters: seen.has('listParameters'),
    help: seen.has('help'),
    debugServer: seen.has('debugServer'),
    run: seen.has('run'),
  };
}

/** `--parameter=x` has its value inside; `-C` never has. */
function splitOption(word: string): readonly [string, string?] {
  const equals = word.indexOf('=');
  return word.startsWith('--') && equals > 0 ? [word.slice(0, equals), word.slice(equals + 1)] : [word];
}

function expandShort(word: string, seen: Set<keyof ModelCommandLine>): void {
  if (word.includes('I')) seen.add('debugServer');
  if (word.includes('R')) seen.add('run');
}

function setParameter(parameters: Map<string, string>, setting: string, refused: string | undefined): void {
  const equals = setting.indexOf('=');
  if (equals < 0) throw new CommandLineError(`parameter '${setting}' has no value`);
  const name = setting.slice(0, equals);
  if (!isParameter(name) || name === refused) throw new CommandLineError(`Parameter '${name}' not found`);
  parameters.set(name, setting.slice(equals + 1));
}
