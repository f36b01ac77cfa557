import { readdirSync } from 'node:fs';

import { readMisbehaviour } from '../misbehaviour.ts';
import { packageFolder } from './config.ts';
import { writeOut } from './multiplexer.ts';
import { run } from './run.ts';

const VERSION = 'shrinkwrap version v2026.6.0';

/** Options with a value, of all sub-commands; they are separate words or joined with `=`. */
const valued: Readonly<Record<string, string>> = {
  '-R': 'runtime',
  '--runtime': 'runtime',
  '-I': 'image',
  '--image': 'image',
  '-o': 'overlay',
  '--overlay': 'overlay',
  '-r': 'rtvar',
  '--rtvar': 'rtvar',
  '-b': 'btvar',
  '--btvar': 'btvar',
  '-t': 'tasks',
  '--tasks': 'tasks',
  '-j': 'jobs',
  '--jobs': 'jobs',
};

const flags: Readonly<Record<string, string>> = {
  '--version': 'version',
  '-n': 'dry-run',
  '--dry-run': 'dry-run',
  '-c': 'no-color',
  '--no-color': 'no-color',
  '-v': 'verbose',
  '--verbose': 'verbose',
  '-a': 'all',
  '--all': 'all',
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
    writeOut(`${/^\w*(?:Error|Exception|Interrupt): /.test(text) ? text : `Exception: ${text}`}\n`);
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
    default:
      writeOut(`Unknown command ${command ?? 'None'}\n`);
      return 0;
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
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const option = equals < 0 ? word : word.slice(0, equals);
    const name = valued[option];
    const flag = flags[word];
    if (name !== undefined) {
      const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
      if (value === undefined) return `argument ${option}: expected one argument`;
      values.set(name, [...(values.get(name) ?? []), value]);
    } else if (flag !== undefined) given.add(flag);
    else if (word.startsWith('-')) return `unrecognized arguments: ${word}`;
    else words.push(word);
  }
  const runtime = values.get('runtime')?.[0] ?? 'docker';
  if (!['null', 'docker', 'docker-local', 'podman', 'podman-local'].includes(runtime)) {
    return `argument -R/--runtime: invalid choice: '${runtime}'`;
  }
  return { words, values, flags: given };
}
