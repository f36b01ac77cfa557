import { describe, expect, it } from 'vitest';

import { resolveOptions, splitArguments } from './options.ts';

describe('splitArguments', () => {
  it('removes our options and keeps all other arguments in order', () => {
    expect(
      splitArguments([
        'run',
        '--backend=sim',
        'tests/a',
        '--shard=1/2',
        '--isolation',
        'cca',
        '-t',
        'x',
        '--reporter=json',
      ]),
    ).toEqual({
      backend: 'sim',
      isolation: ['cca'],
      strictSkips: undefined,
      variables: {},
      rest: ['run', 'tests/a', '--shard=1/2', '-t', 'x', '--reporter=json'],
    });
  });

  it('collects isolation types from repeated options and comma lists', () => {
    expect(splitArguments(['--isolation=cca,none', '--isolation', ' vbs , snp']).isolation).toEqual([
      'cca',
      'none',
      'vbs',
      'snp',
    ]);
  });

  it('parses --strict-skips as a flag without an argument', () => {
    expect(splitArguments(['run', '--strict-skips', 'tests/a'])).toMatchObject({
      strictSkips: true,
      rest: ['run', 'tests/a'],
    });
    expect(splitArguments(['--strictSkips=false', '--', '--strict-skips']).strictSkips).toBe(false);
  });

  it('ignores options that only start like ours', () => {
    const argv = ['--isolate=false', '--backendish', '--browser=chrome', '--no-isolate'];
    expect(splitArguments(argv)).toEqual({
      backend: undefined,
      isolation: [],
      strictSkips: undefined,
      variables: {},
      rest: argv,
    });
  });

  it('passes --gdb, --trace and --guest-coverage on as variables', () => {
    expect(splitArguments(['run', '--gdb', 'tests/a'])).toMatchObject({
      variables: { PETRI_GDB: '0,wait' },
      rest: ['run', 'tests/a'],
    });
    expect(splitArguments(['--gdb=1234']).variables).toEqual({ PETRI_GDB: '1234,wait' });
    expect(splitArguments(['--trace', 'run', '--guest-coverage'])).toMatchObject({
      variables: { PETRI_TRACE: '1', PETRI_GUEST_COVERAGE: '1' },
      rest: ['run'],
    });
    expect(() => splitArguments(['--gdb=x'])).toThrow(expect.objectContaining({ code: 'invalid-option' }));
  });

  it('prefers options before -- to those after it', () => {
    expect(splitArguments(['run', '--backend=a', '--', '--backend=b']).backend).toBe('a');
    expect(splitArguments(['run', '--', '--backend=b', '--isolation=cca', 'kept'])).toEqual({
      backend: 'b',
      isolation: ['cca'],
      strictSkips: undefined,
      variables: {},
      rest: ['run', '--', 'kept'],
    });
    expect(splitArguments(['run', '--', '--backend=b']).rest).toEqual(['run']);
  });

  it.each([['--backend'], ['--backend='], ['--backend', '--run'], ['--isolation'], ['--isolation=']])(
    'refuses an option without a value: %j',
    (...argv) => {
      expect(() => splitArguments(argv)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
    },
  );

  it('rejects two different backends, but not the same one twice', () => {
    expect(() => splitArguments(['--backend=a', '--backend=b'])).toThrow(/as 'a' and as 'b'/);
    expect(splitArguments(['--backend=a', '--backend=a']).backend).toBe('a');
  });
});

describe('resolveOptions', () => {
  const environment = { PETRI_BACKEND: 'from-env', PETRI_ISOLATION: 'none' };
  const configuration = { backend: 'from-config', isolation: ['vbs'] as const };
  const strictSkips = false;

  it('prefers -- to the environment, then the configuration, then sim', () => {
    const argv = ['run', '--', '--backend=from-passthrough', '--isolation=cca'];
    expect(resolveOptions(argv, environment, configuration)).toEqual({
      backend: 'from-passthrough',
      isolation: ['cca'],
      strictSkips,
    });
    expect(resolveOptions([], environment, configuration)).toEqual({
      backend: 'from-env',
      isolation: ['none'],
      strictSkips,
    });
    expect(resolveOptions([], {}, configuration)).toEqual({
      backend: 'from-config',
      isolation: ['vbs'],
      strictSkips,
    });
    expect(resolveOptions([], {}, {})).toEqual({ backend: 'sim', isolation: [], strictSkips });
  });

  it('treats an empty variable as unset', () => {
    expect(resolveOptions([], { PETRI_BACKEND: '', PETRI_ISOLATION: ' ' }, configuration)).toEqual({
      backend: 'from-config',
      isolation: ['vbs'],
      strictSkips,
    });
  });

  it.each<[string[], string | undefined, boolean | undefined, boolean]>([
    [[], undefined, undefined, false],
    [[], undefined, true, true],
    [[], '0', true, false],
    [[], 'true', false, true],
    [['--', '--no-strict-skips'], '1', true, false],
    [['--', '--strict-skips'], '0', false, true],
  ])(
    'resolves strict skips from %j, PETRI_STRICT_SKIPS=%s and the configuration %s',
    (argv, variable, own, expected) => {
      expect(resolveOptions(argv, { PETRI_STRICT_SKIPS: variable }, { strictSkips: own }).strictSkips).toBe(expected);
    },
  );

  it('rejects values other than true and false', () => {
    const refused = expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining("'maybe'") });
    expect(() => resolveOptions([], { PETRI_STRICT_SKIPS: 'maybe' }, {})).toThrow(refused);
    expect(() => splitArguments(['--strict-skips=maybe'])).toThrow(refused);
  });

  it('lists the existing isolation types for an unknown one', () => {
    expect(() => resolveOptions([], { PETRI_ISOLATION: 'cca,sgx' }, {})).toThrow(
      expect.objectContaining({
        code: 'unknown-isolation',
        message: expect.stringMatching(/'sgx'[\s\S]*none, vbs, snp, tdx, cca/) as string,
      }),
    );
  });
});
