import { resolve } from 'node:path';

import { cac } from 'cac';
import { describe, expect, it } from 'vitest';

import type { StackManager, StackRequest } from '../kit/stack/index.ts';
import { ccaOptions } from './cca/options.ts';
import { stackRequest } from './cca/request.ts';
import { addCommands } from './main.ts';
import { type CliOptions, parseOptions, property } from './options.ts';
import { tmkOptions } from './tmk/options.ts';
import { commandOptions } from './testing/command-options.ts';

/** The options in the `--help` of a command. */
async function documented(command: string): Promise<{ name: string; value: boolean; short: string | undefined }[]> {
  const cli = cac('petri');
  cli.help();
  await addCommands(cli);
  const listed = cli.commands.find(({ name }) => name === command)?.options ?? [];
  return listed.map(({ rawName }) => {
    const [, short, name = '', value] = /^(?:-(\w), )?--([\w-]+)( [<[].+[>\]])?$/.exec(rawName) ?? [];
    return { name, value: value !== undefined, short };
  });
}

it('gives an option whose value may be left out the value that stands for that', () => {
  const read = (...argv: string[]): object => parseOptions(['tmk', 'run', 'hello', ...argv], 'tmk', tmkOptions, 'run');
  expect(read('--gdb')).toEqual({ gdb: '0,wait' });
  expect(read('--gdb', '--quiet')).toEqual({ gdb: '0,wait', quiet: true });
  expect(() => read('--gdb=70000')).toThrow(expect.objectContaining({ code: 'invalid-option' }));
});

/** Values of options that do not take any text, and what is read of them. */
const samples: Readonly<Record<string, readonly [string, unknown]>> = {
  jobs: ['7', 7],
  timeout: ['7', 7],
  gdb: ['7', '7,wait'],
  machine: ['base', 'base'],
  vcpus: ['7', 7],
  el: ['2', 2],
  load: ['0x10', 16],
  entry: ['0x10', 16],
};

describe('every option that --help of a command lists', async () => {
  const rows = await Promise.all(
    Object.entries(commandOptions).map(async ([command, options]) => {
      const listed = await documented(command);
      return listed.map((option) => [`petri ${command} --${option.name}`, command, options, option] as const);
    }),
  );

  it.each(rows.flat())('%s reaches its command', (_line, command, options: CliOptions, { name, value, short }) => {
    const action = options[name]?.actions?.[0];
    const [sample, parsed] = samples[name] ?? ['0123456', '0123456'];
    const expected = { [property(name)]: parsed };
    const forms = value
      ? [
          ...(options[name]?.bare === undefined ? [[`--${name}`, sample]] : []),
          [`--${name}=${sample}`],
          ...(short === undefined ? [] : [[`-${short}`, sample]]),
        ]
      : [[`--${name}`]];
    for (const argv of forms) {
      const read = parseOptions(
        [command, ...(action === undefined ? [] : [action]), ...argv],
        command,
        options,
        action,
      );
      if (options[name]?.repeatable === true) expect(read).toEqual({ [property(name)]: [sample] });
      else expect(read).toEqual(value ? expected : { [property(name)]: true });
    }
  });

  it('is complete: no command has options that its help does not show', async () => {
    const cli = cac('petri');
    await addCommands(cli);
    const withOptions = cli.commands.filter(({ options }) => options.length > 0).map(({ name }) => name);
    expect(withOptions.sort()).toEqual(Object.keys(commandOptions).sort());
    for (const [command, options] of Object.entries(commandOptions)) {
      expect((await documented(command)).map(({ name }) => name)).toEqual(Object.keys(options));
    }
  });
});

describe('an option of petri cca', () => {
  const manager = {
    options: ['runtime', 'shrinkwrap', 'tmk-vmm', 'qemu', 'only', 'bl33'],
    root: (cwd) => resolve(cwd, 'stack'),
  } as Partial<StackManager> as StackManager;
  const requested = (action: 'install' | 'update', argv: readonly string[]): StackRequest => {
    const options = { platform: 'fvp', ...parseOptions(['cca', action, ...argv], 'cca', ccaOptions, action) };
    return stackRequest(action, options, manager, '/somewhere');
  };
  const building = Object.entries<CliOptions[string]>(ccaOptions).filter(
    ([name, { actions }]) => name !== 'platform' && actions?.includes('update') !== false && name !== 'verbose',
  );

  it.each(building)('affects the request for the stack: --%s', (name, { value }) => {
    const sample = { jobs: '3', source: 'tfa=@v2' }[name] ?? 'mine';
    const given = value === undefined ? [`--${name}`] : [`--${name}`, sample];
    expect(requested('update', given)).not.toEqual(requested('update', []));
  });

  it('parses the command line for an update of everything', () => {
    const line = '--rebuild-plane0-linux --rebuild-rootfs --tfa-rev 8 --tfrmm-rev=1e5 --plane0-linux-rev cca/v2';
    expect(requested('update', line.split(' '))).toMatchObject({
      rebuild: ['plane0-linux', 'rootfs'],
      refresh: false,
      sources: [
        { name: 'tfa', revision: '8' },
        { name: 'tfrmm', revision: '1e5' },
        { name: 'plane0-linux', revision: 'cca/v2' },
      ],
    });
  });

  it('may be --source more than once', () => {
    const { sources } = requested('install', ['--source', 'tfa=@v2.14', '--source=kvmtool=/srv/a,b@main']);
    expect(sources).toEqual([
      { name: 'tfa', revision: 'v2.14' },
      { name: 'kvmtool', repository: '/srv/a,b', revision: 'main' },
    ]);
  });
});

describe('a command line that is wrong', () => {
  const options = {
    json: { help: '', actions: ['list'] },
    'plane0-rev': { help: '', value: 'rev' },
    jobs: { help: '', value: 'count', schema: commandOptions.cca.jobs.schema },
  } as const;

  it.each([
    [['--plane1-rev=x'], /Unknown option '--plane1-rev'/],
    [['--plane0-rev'], /--plane0-rev.*argument missing/],
    [['--plane0-rev='], /--plane0-rev: needs a value/],
    [['--plane0-rev=a', '--plane0-rev=b'], /--plane0-rev is given more than once/],
    [['--json=yes'], /--json.*does not take an argument/],
    [['--no-json'], /Unknown option '--no-json'/],
    [['-v'], /Unknown option '-v'/],
    [['--jobs=many'], /--jobs: /],
    [['--json'], /petri it run does not take --json\n.*it takes --plane0-rev, --jobs/],
  ])('is refused: %j', (argv, message) => {
    expect(() => parseOptions(['it', 'run', ...argv], 'it', options, 'run')).toThrow(message);
  });
});
