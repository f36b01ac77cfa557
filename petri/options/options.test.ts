import { describe, expect, it } from 'vitest';
import { atLeast, checkArgument, checkOptions, listOf, milliseconds, nearest, oneOf, pattern, text } from './index.ts';

describe('the name that was meant', () => {
  const names = ['serial', 'not', 'halt', 'timeout', 'maxInstructions'];
  it.each([
    ['serail', 'serial'],
    ['serials', 'serial'],
    ['Serial', 'serial'],
    ['nto', 'not'],
    ['hlat', 'halt'],
    ['time-out', 'timeout'],
    ['maxInstruction', 'maxInstructions'],
    ['xyz', undefined],
    ['', undefined],
    ['serialisation of everything', undefined],
  ])('of %j is %s', (written, meant) => {
    expect(nearest(written, names)).toBe(meant);
  });
});

describe('options', () => {
  const rules = {
    timeout: milliseconds,
    from: oneOf(['cursor', 'boot']),
    names: listOf(text),
    rows: atLeast(1),
    print: pattern,
    own: true,
  } as const;
  const check = (options: unknown) => () => checkOptions('call()', options, rules);

  it('may be left out, all of them or some', () => {
    for (const options of [undefined, {}, { timeout: undefined }, { timeout: 0, from: 'boot', names: [], rows: 1 }]) {
      expect(check(options)).not.toThrow();
    }
    expect(check({ print: /x/, own: Symbol('anything') })).not.toThrow();
  });

  it.each<[unknown, RegExp]>([
    [{ timeuot: 5 }, /^call\(\) has no option 'timeuot', did you mean 'timeout'\?[^]*the options are timeout, from, /],
    [{ zzzzzz: 5 }, /^call\(\) has no option 'zzzzzz'\n/],
    [{ toString: 5 }, /no option 'toString'/],
    [{ constructor: 5, timeout: -1 }, /no option 'constructor'; timeout of call\(\) is -1; expected/],
    [{ timeout: '5s' }, /^timeout of call\(\) is '5s'; expected a number of milliseconds/],
    [{ timeout: Number.NaN }, /is NaN/],
    [{ from: 'bot' }, /^from of call\(\) is 'bot', did you mean 'boot'\?; expected one of 'cursor', 'boot'/],
    [{ names: 'a' }, /^names of call\(\) is 'a'; expected a list/],
    [{ names: ['a', ''] }, /expected a list, each element a text that is not empty/],
    [{ rows: 1.5 }, /whole number from 1/],
    [{ print: '' }, /a text that is not empty or a RegExp/],
    [{ timeout: null }, /is null/],
    [5000, /^call\(\) takes an object, not 5000/],
    [[], /takes an object, not \[\]/],
    [/x/, /takes an object, not \/x\//],
    [null, /takes an object, not null/],
  ])('are refused: %j', (options, message) => {
    expect(check(options)).toThrow(expect.objectContaining({ code: 'invalid-option', step: 'options' }));
    expect(check(options)).toThrow(message);
  });

  it('are told of in a bounded message', () => {
    expect(check({ timeout: 'x'.repeat(10_000) })).toThrow(/^[^]{1,400}$/);
  });

  it('and what stands beside them are checked alike', () => {
    expect(() => checkArgument('exec()', 'command', ['ls'], text)).toThrow(/^command of exec\(\) is \[ 'ls' \]/);
  });
});
