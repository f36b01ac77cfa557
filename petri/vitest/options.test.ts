import { describe, expect, it } from 'vitest';

import { resolveOptions, splitArguments } from './options.ts';

describe('splitArguments', () => {
  it('takes our options out and keeps every other argument in order', () => {
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

  it('takes strict skips as a flag that takes no other argument', () => {
    expect(splitArguments(['run', '--strict-skips', 'tests/a'])).toMatchObject({
      strictSkips: true,
      rest: ['run', 'tests/a'],
    });
    expect(splitArguments(['--strictSkips=false', '--', '--strict-skips']).strictSkips).toBe(false);
  });

  it('leaves options that only begin like ours to vitest', () => {
    const argv = ['--isolate=false', '--backendish', '--browser=chrome', '--no-isolate'];
    expect(splitArguments(argv)).toEqual({ backend: undefined, isolation: [], strictSkips: undefined, rest: argv });
  });

  it('prefers options in front of -- and takes those behind it otherwise', () => {
    expect(splitArguments(['run', '--backend=a', '--', '--backend=b']).backend).toBe('a');
    expect(splitArguments(['run', '--', '--backend=b', '--isolation=cca', 'kept'])).toEqual({
      backend: 'b',
      isolation: ['cca'],
      strictSkips: undefined,
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

  it('refuses two different backends, but not the same one twice', () => {
    expect(() => splitArguments(['--backend=a', '--backend=b'])).toThrow(/as 'a' and as 'b'/);
    expect(splitArguments(['--backend=a', '--backend=a']).backend).toBe('a');
  });
});

describe('resolveOptions', () => {
  const environment = { PETRI_BACKEND: 'from-env', PETRI_ISOLATION: 'none' };
  const configuration = { backend: 'from-config', isolation: ['vbs'] as const };
  const strictSkips = false;

  it('goes from -- over the environment and the configuration to sim', () => {
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

  it('takes an empty variable as absent', () => {
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
  ])('takes strict skips from %j, PETRI_STRICT_SKIPS=%s and the configuration %s', (argv, variable, own, expected) => {
    expect(resolveOptions(argv, { PETRI_STRICT_SKIPS: variable }, { strictSkips: own }).strictSkips).toBe(expected);
  });

  it('refuses what is neither true nor false', () => {
    const refused = expect.objectContaining({ code: 'invalid-option', message: expect.stringContaining("'maybe'") });
    expect(() => resolveOptions([], { PETRI_STRICT_SKIPS: 'maybe' }, {})).toThrow(refused);
    expect(() => splitArguments(['--strict-skips=maybe'])).toThrow(refused);
  });

  it('names the isolation types that exist when one does not', () => {
    expect(() => resolveOptions([], { PETRI_ISOLATION: 'cca,sgx' }, {})).toThrow(
      expect.objectContaining({
        code: 'unknown-isolation',
        message: expect.stringMatching(/'sgx'[\s\S]*none, vbs, snp, tdx, cca/) as string,
      }),
    );
  });
});
