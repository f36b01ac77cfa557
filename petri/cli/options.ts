import { parseArgs } from 'node:util';

import type { CAC, Command } from 'cac';
import { z } from 'zod';

import { PetriError } from '../errors.ts';

/** One option of a command. */
export interface CliOption {
  readonly help: string;
  /** Name of its value in the help; without it, the option is a switch. */
  readonly value?: string;
  /** Its value where it is given without one. */
  readonly bare?: string;
  /** Its one-letter form. */
  readonly short?: string;
  /** Whether it may be given more than once. */
  readonly repeatable?: true;
  /** Schema of its value; without it, any text that is not empty. */
  readonly schema?: z.ZodType;
  /** The actions of the command that accept it; without them, all do. */
  readonly actions?: readonly string[];
}

/** The options of a command by their names, without the two hyphens. */
export type CliOptions = Readonly<Record<string, CliOption>>;

/** Converts 'plane0-linux-rev' to the property 'plane0LinuxRev'. */
type Property<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Property<Rest>>}`
  : Name;

type Value<Option extends CliOption> = Option extends { readonly schema: z.ZodType<infer Type> }
  ? Type
  : Option extends { readonly value: string; readonly repeatable: true }
    ? readonly string[]
    : Option extends { readonly value: string }
      ? string
      : boolean;

/** The given options, by property; missing options have none. */
export type OptionValues<Options extends CliOptions> = {
  readonly [Name in keyof Options & string as Property<Name>]?: Value<Options[Name]>;
};

const text = z.string().min(1, 'needs a value');

/** Adds the options to the help of a command. Their values are parsed by `readOptions`. */
export function describeOptions(command: Command, options: CliOptions): Command {
  for (const [name, { help, value, bare, short, actions }] of Object.entries(options)) {
    const letter = short === undefined ? '' : `-${short}, `;
    const only = actions?.length === 1 ? `${actions[0] ?? ''}: ` : '';
    command.option(`${letter}--${name}${valueInHelp(value, bare)}`, `${only}${help}`);
  }
  // cac looks for options under names that it derives, and would reject those that it cannot find.
  return command.allowUnknownOptions();
}

function valueInHelp(value: string | undefined, bare: string | undefined): string {
  if (value === undefined) return '';
  return bare === undefined ? ` <${value}>` : ` [${value}]`;
}

/**
 * Reads the options of the current command line. cac itself would join repeated options, convert texts of digits to
 * numbers, and derive property names by rules that fail for digits.
 *
 * @param command as typed: 'tmk', 'cca'
 * @param action the first word after the command, if it decides which options are accepted
 * @throws PetriError `invalid-option`
 */
export function readOptions<const Options extends CliOptions>(
  cli: CAC,
  command: string,
  options: Options,
  action?: string,
): OptionValues<Options> {
  return parseOptions(cli.rawArgs.slice(2), command, options, action);
}

/** As `readOptions`, of any arguments. @throws PetriError `invalid-option` */
export function parseOptions<const Options extends CliOptions>(
  argv: readonly string[],
  command: string,
  options: Options,
  action?: string,
): OptionValues<Options> {
  const remedy = `petri ${command} --help describes the options`;
  const given = split(argv, options, remedy);
  if (action !== undefined) refuseIgnored(Object.keys(given), options, command, action);
  const values = Object.entries(given).map(([name, value]) => {
    const option = options[name];
    if (value === true || option === undefined) return [property(name), value];
    if (option.repeatable !== true && value.length > 1) throw wrong(`--${name} is given more than once`, remedy);
    const schema = option.schema ?? (option.repeatable === true ? z.array(text) : text);
    const parsed = schema.safeParse(option.repeatable === true ? value : value[0]);
    if (parsed.success) return [property(name), parsed.data];
    const [issue] = parsed.error.issues;
    throw wrong(`--${name}: ${issue?.message ?? 'wrong'}`, remedy, parsed.error);
  });
  return Object.fromEntries(values) as OptionValues<Options>;
}

/** True for a switch; otherwise the given values, in order. */
function split(argv: readonly string[], options: CliOptions, remedy: string): Record<string, true | string[]> {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { value, short }]) => [
      name,
      {
        ...(value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, multiple: true as const }),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  const args = argv.map((argument) => {
    const bare = argument.startsWith('--') ? options[argument.slice(2)]?.bare : undefined;
    return bare === undefined ? argument : `${argument}=${bare}`;
  });
  try {
    const { values } = parseArgs({ args, options: config, allowPositionals: true, strict: true });
    return { ...values } as Record<string, true | string[]>;
  } catch (error) {
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw wrong(message.replace(/\. To specify a positional.*$/, ''), remedy, error);
  }
}

function refuseIgnored(names: readonly string[], options: CliOptions, command: string, action: string): void {
  const takes = (name: string): boolean => options[name]?.actions?.includes(action) !== false;
  const ignored = names.filter((name) => !takes(name));
  if (ignored.length === 0) return;
  const taken = Object.keys(options).filter(takes);
  throw wrong(
    `petri ${command} ${action} does not take ${ignored.map((name) => `--${name}`).join(', ')}`,
    taken.length === 0 ? 'it takes no options' : `it takes ${taken.map((name) => `--${name}`).join(', ')}`,
  );
}

/** The property of an option's value. */
export function property(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function wrong(message: string, remedy: string, cause?: unknown): PetriError {
  return new PetriError(message, { code: 'invalid-option', step: 'options', remedy, cause });
}
