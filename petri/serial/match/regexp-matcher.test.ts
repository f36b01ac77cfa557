import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { boundedExec, isCheap } from './bounded-exec.ts';
import { countedExec, loadEngine } from './counted-exec.ts';
import { createMatcher } from './matcher.ts';
import type { Found, SerialPattern } from './pattern.ts';
import { LONGEST_MATCH, canSpanLines } from './regexp-matcher.ts';

beforeAll(loadEngine);

/** The first match in a text that arrives in chunks and then ends. */
function find(pattern: SerialPattern, pieces: readonly string[], preceding = ''): Found | undefined {
  const matcher = createMatcher(pattern, preceding);
  const all = pieces.join('');
  let fed = 0;
  for (const piece of pieces) {
    let found = matcher.feed(piece);
    while (found === undefined && matcher.behind) found = matcher.feed('');
    fed += piece.length;
    if (found !== undefined) return { ...found, rest: found.rest + all.slice(fed) };
  }
  return matcher.settle();
}

function split(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return [...pieces, text.slice(at)];
}

describe('RegExpMatcher', () => {
  it('waits for the whole line before it reports a match', () => {
    const matcher = createMatcher(/value=(\d+)/, '');
    expect(matcher.feed('value=12')).toBeUndefined();
    expect(matcher.feed('34\nnext')).toMatchObject({ match: 'value=1234', captures: ['1234'], rest: '\nnext' });
  });

  it('tries an unfinished line only in `settle`', () => {
    const matcher = createMatcher(/login: $/, '');
    expect(matcher.feed('realm login: ')).toBeUndefined();
    expect(matcher.unsettled).toBe(true);
    expect(matcher.settle()).toMatchObject({ match: 'login: ' });
  });

  it('matches ^ and $ at the start and end of lines, also after a cursor within one', () => {
    expect(find(/^two$/, ['one\ntwo\nthree\n'])?.index).toBe(4);
    expect(find(/^ne/, ['ne\nnext\n'], 'o')?.index).toBe(3);
    expect(find(/^ne/, ['ne\nnext\n'], '\n')?.index).toBe(0);
    expect(find(/\bne\b/, ['ne ne\n'], 'o')?.index).toBe(3);
  });

  it('ignores the flags g and y, and the state of the pattern', () => {
    const pattern = /b/gy;
    pattern.lastIndex = 3;
    expect(find(pattern, ['a b\n'])?.index).toBe(2);
    expect(pattern.lastIndex).toBe(3);
  });

  it('matches over several lines', () => {
    expect(find(/one\s+two/, ['one\n', '\n', 'two\n'])).toMatchObject({ match: 'one\n\ntwo', index: 0 });
    expect(find(/begin([^]*?)end/, ['x begin 1\n2\n', '3 end\n'])?.captures).toEqual([' 1\n2\n3 ']);
  });

  it('returns the captures and named groups', () => {
    expect(find(/(?<key>\w+)=(?<value>\w+)( \w+)?/, ['a=b\n'])).toMatchObject({
      captures: ['a', 'b', undefined],
      groups: { key: 'a', value: 'b' },
    });
  });

  const patterns: readonly SerialPattern[] = [
    'ab',
    'a\nb',
    'aab',
    /ab/,
    /a+/,
    /a*b/,
    /^b/,
    /a$/,
    /a\s*b/,
    /a[^]*b/,
    /a[^x]{2}b/,
    /(a|b)+x/,
    /\Ba/,
    /(?<=a)b/,
    /x?/,
    /b.*b/s,
  ];

  it('finds the same in any chunks', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('a', 'b', 'x', '\n', ' ', 'ab', 'aab'), { maxLength: 30 })
          .map((parts) => parts.join('')),
        fc.array(fc.nat({ max: 7 }), { maxLength: 10 }),
        fc.constantFrom(...patterns),
        fc.constantFrom('', 'a', '\n'),
        (text, sizes, pattern, preceding) => {
          expect(find(pattern, split(text, sizes), preceding)).toEqual(find(pattern, [text], preceding));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('finds the same in any chunks of a line that is longer than the window', () => {
    const line = `${'-'.repeat(LONGEST_MATCH - 3)}needle1${'-'.repeat(LONGEST_MATCH)}needle22${'-'.repeat(LONGEST_MATCH)}`;
    for (const pattern of [/needle\d\d/, /needle(\d+)-/, /n[^]edle22/, 'needle22']) {
      const whole = find(pattern, [`short\n${line}\n`]);
      expect(whole).toBeDefined();
      for (const size of [1000, 65_536, 65_537, 100_000]) {
        const sizes = Array.from({ length: Math.floor(line.length / size) }, () => size);
        expect(find(pattern, split(`short\n${line}\n`, sizes))).toEqual(whole);
      }
    }
  });

  const catastrophe = /^(a+)+$/;

  it('ends a search that backtracks without end, with an error that names the pattern', () => {
    const matcher = createMatcher(catastrophe, '');
    expect(() => matcher.feed(`${'a'.repeat(64)}!\n`)).toThrow(
      /\^\(a\+\)\+\$.*takes more than 5,000,000 steps on 66 characters/s,
    );
  });

  it('ends it at the same line, however the text is split', () => {
    // Lines are affordable up to some length, and not from the next one on.
    const lines = Array.from({ length: 30 }, (_, length) => `${'a'.repeat(length)}!\n`);
    const failureOf = (pieces: readonly string[]): string => {
      try {
        return JSON.stringify(find(catastrophe, pieces));
      } catch (error) {
        return String(error);
      }
    };
    const whole = failureOf([lines.join('')]);
    expect(whole).toMatch(/takes more than 5,000,000 steps on \d+ characters/);
    for (const size of [1, 7, 64, 200]) {
      const sizes = Array.from({ length: Math.ceil(lines.join('').length / size) }, () => size);
      expect(failureOf(split(lines.join(''), sizes))).toBe(whole);
    }
    expect(failureOf(lines)).toBe(whole);
  });

  it('finds the same whether steps are counted or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'x', '\n', ' ', '\0', 'é', '🦀', '\uD83E', '"', '\\'), { maxLength: 40 }),
        fc.constantFrom(
          ...patterns.filter((pattern) => typeof pattern !== 'string'),
          /(?<one>a)|(?<two>b)(x)?/,
          /é|\p{L}{2}/u,
        ),
        fc.nat({ max: 10 }),
        (parts, pattern, from) => {
          const text = parts.join('');
          const expression = new RegExp(pattern.source, `${pattern.flags}gm`);
          const start = Math.min(from, text.length);
          expression.lastIndex = start;
          const expected = expression.exec(text);
          expect(countedExec(expression, text, start)).toEqual(
            expected === null
              ? null
              : {
                  index: expected.index,
                  match: expected[0],
                  captures: expected.slice(1),
                  groups: { ...expected.groups },
                },
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('judges whether a search is cheap by its shape and the length of the text only', () => {
    expect(isCheap('value=(\\d+) \\w+', 200)).toBe(true);
    expect(isCheap('value=(\\d+) \\w+', LONGEST_MATCH)).toBe(false);
    expect(isCheap('(?:one|two|three) \\[[*+]+\\]', 4000)).toBe(true);
    // Alternatives in sequence, a small bound, and a repetition at the end.
    const signatures = Array.from({ length: 60 }, (_, index) => `(?:(?:^|\\] )error ${index}: )`);
    expect(isCheap(`(?:${signatures.join('|')}).*`, LONGEST_MATCH)).toBe(true);
    expect(isCheap('error: .{1,100}\\[#', LONGEST_MATCH)).toBe(true);
    expect(isCheap('error: .{1,2000}\\[#', LONGEST_MATCH)).toBe(false);
    expect(isCheap('a.*b', LONGEST_MATCH)).toBe(false);
    for (const source of [
      '(a+)+',
      '(a|b)*',
      '(?:a?){20}',
      '(a)\\1',
      `${'a?'.repeat(40)}${'a'.repeat(40)}`,
      '(?:a|a)'.repeat(40),
    ]) {
      expect(isCheap(source, 200), source).toBe(false);
    }
    expect(boundedExec(/(a|b)+x/g, 'zabx', 0)?.index).toBe(1);
  });

  it('searches each line once if the pattern cannot span lines', () => {
    const matcher = createMatcher(/never (seen) \w+/, '');
    const lines = 'a line of eighty characters or so, as a kernel that is in trouble prints them\n'.repeat(800);
    // Searching lines again would read four hundred mebibytes.
    for (let round = 0; round < 100; round += 1) expect(matcher.feed(lines)).toBeUndefined();
    expect(matcher.unsettled).toBe(false);
  });
});

describe('canSpanLines', () => {
  it.each([
    [/hello/, false],
    [/^Linux version \d+\.\d+/, false],
    [/(?:a|b) "[\w -]+"/, false],
    [/(?<name>x)(?=y)\k<name>/, false],
    [/a.b/s, true],
    [/a\sb/, true],
    [/a\nb/, true],
    [/a[^b]/, true],
    [/\W/, true],
    [/\x0a/, true],
    [/[\t-~]/, true],
    [/\D/, true],
    [/[\p{L}]/u, true],
  ])('%s: %s', (pattern, expected) => {
    expect(canSpanLines(pattern)).toBe(expected);
  });
});
