import { readdirSync } from 'node:fs';

import { readMisbehaviour } from '../misbehaviour.ts';
import { packageFolder } from './config.ts';
import { writeOut } from './multiplexer.ts';
import { run } from './run.ts';

const VERSION = 'shrinkwrap version 2026.6.0';

interface Grammar {
  /** Options with a value: separate words, or joined with `=`, or to one letter. */
  readonly valued: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, string>>;
}

const overlays = { '-o': 'overlay', '--overlay': 'overlay' } as const;
const output = { '-n': 'dry-run', '--dry-run': 'dry-run', '-c': 'no-color', '--no-color': 'no-color' } as const;
const btvars = { '-b': 'btvar', '--btvar': 'btvar' } as const;
const rtvars = { '-r': 'rtvar', '--rtvar': 'rtvar' } as const;

/** Before the sub-command. */
const globals: Grammar = {
  valued: { '-R': 'runtime', '--runtime': 'runtime', '-I': 'image', '--image': 'image', '--ssh-agent-key': 'key' },
  flags: { '--version': 'version', '--ssh-agent': 'ssh-agent' },
};

const building: Grammar = {
  valued: {
    ...overlays,
    ...btvars,
    ...{ '-t': 'tasks', '--tasks': 'tasks', '-j': 'jobs', '--jobs': 'jobs' },
    ...{ '--no-sync': 'no-sync', '--force-sync': 'force-sync' },
  },
  flags: {
    ...output,
    ...{ '-v': 'verbose', '--verbose': 'verbose' },
    ...{ '--no-sync-all': 'no-sync-all', '--force-sync-all': 'force-sync-all' },
  },
};

/** After it. Those without a grammar the tool has, and this does not. */
const commands: Readonly<Record<string, Grammar | undefined>> = {
  build: building,
  run: { valued: { ...overlays, ...rtvars, '-t': 'timeout', '--timeout': 'timeout' }, flags: output },
  inspect: { valued: {}, flags: { '-a': 'all', '--all': 'all' } },
  buildall: undefined,
  clean: undefined,
  process: undefined,
};

interface Parsed {
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly flags: ReadonlySet<string>;
}

/** The command line of shrinkwrap. */
export async function main(argv: readonly string[]): Promise<void> {
  const parsed = parseArguments(argv);
  if (typeof parsed === 'string') {
    process.stderr.write(
      `usage: shrinkwrap [-h] [--version] [-R engine] [-I name] <command> ...\nshrinkwrap: error: ${parsed}\n`,
    );
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = await dispatch(parsed);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    // It is started as a module, where nothing catches what it raises.
    const raised = /^\w*(?:Error|Exception|Interrupt): /.test(text) ? text : `Exception: ${text}`;
    process.stderr.write(`Traceback (most recent call last):\n  (of the tool)\n${raised}\n`);
    process.exitCode = 1;
  }
}

async function dispatch({ words, values, flags }: Parsed): Promise<number> {
  const [command, config = ''] = words;
  if (flags.has('version')) {
    writeOut(`${VERSION}\n`);
    return 0;
  }
  switch (command) {
    case 'run':
      return await run({
        config,
        overlays: values.get('overlay') ?? [],
        rtvars: new Map((values.get('rtvar') ?? []).map(splitVariable)),
        dryRun: flags.has('dry-run'),
        runtime: values.get('runtime')?.at(-1) ?? 'docker',
        colour: !flags.has('no-color'),
      });
    case 'build':
      if (readMisbehaviour(process.env).value('shrinkwrap') === 'build-fails') throw new Error('Failed to build rmm');
      writeOut(`[  1/  1 ] Building ${config}\n`);
      return 0;
    case 'inspect':
      for (const name of readdirSync(packageFolder()).filter((name) => name.endsWith('.yaml'))) {
        writeOut(`name:               ${name}\n\nconcrete:           True\n\n`);
      }
      return 0;
    case undefined:
      writeOut('Unknown command None\n');
      return 0;
    default:
      throw new Error(`the stand-in does not imitate shrinkwrap ${command}`);
  }
}

function splitVariable(setting: string): [string, string] {
  const equals = setting.indexOf('=');
  if (equals < 0) throw new Error(`Exception: invalid variable ${setting}`);
  return [setting.slice(0, equals), setting.slice(equals + 1)];
}

function parseArguments(argv: readonly string[]): Parsed | string {
  const words: string[] = [];
  const values = new Map<string, string[]>();
  const given = new Set<string>();
  const rest = [...argv];
  let grammar = globals;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { option, joined } = splitOption(word);
    const name = grammar.valued[option];
    const flag = joined === undefined ? grammar.flags[word] : undefined;
    if (name !== undefined) {
      const value = joined ?? rest.shift();
      if (value === undefined) return `argument ${option}: expected one argument`;
      values.set(name, [...(values.get(name) ?? []), value]);
    } else if (flag !== undefined) given.add(flag);
    else if (word.startsWith('-')) return `unrecognized arguments: ${word}`;
    else if (words.length === 0 && !Object.hasOwn(commands, word)) {
      return `argument <command>: invalid choice: '${word}' (choose from ${Object.keys(commands).join(', ')})`;
    } else {
      if (words.length === 0) grammar = commands[word] ?? { valued: {}, flags: {} };
      words.push(word);
    }
  }
  const runtime = values.get('runtime')?.[0] ?? 'docker';
  if (!['null', 'docker', 'docker-local', 'podman', 'podman-local'].includes(runtime)) {
    return `argument -R/--runtime: invalid choice: '${runtime}'`;
  }
  return { words, values, flags: given };
}

/** `--option=value` and `-ovalue` hold their value. */
function splitOption(word: string): { readonly option: string; readonly joined?: string } {
  const long = /^(--[^=]+)=(.*)$/s.exec(word) ?? /^(-[a-zA-Z])(.+)$/s.exec(word);
  return long?.[1] === undefined ? { option: word } : { option: long[1], joined: long[2] ?? '' };
}
