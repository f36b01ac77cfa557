import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  harmlessJson,
  harmlessLine,
  harmlessMessage,
  harmlessOutput,
  harmlessText,
  quoted,
  quotedLines,
} from './index.ts';
import { hazardsIn, hostileText } from './testing.ts';

describe('what a terminal or a CI runner would obey', () => {
  it.each([
    ['ESC inside of ESC', '\u001B\u001B[0m]52;c;cm0=\u0007', String.raw`\x1b\x1b[0m]52;c;cm0=\x07`],
    ['C1 as code points', '\u009B31m\u009D0;t\u009C', String.raw`\x9b31m\x9d0;t\x9c`],
    ['DEL, BS and NUL', '\u007F\b\0', String.raw`\x7f\x08\x00`],
    ['line ends', 'a\r\nb\u2028c\u0085d', String.raw`a\r\nb\u{2028}c\x85d`],
    ['bidirectional controls', '\u202Etxet\u2066\u200E\u061C', String.raw`\u{202e}txet\u{2066}\u{200e}\u{061c}`],
    ['what is not seen', 'a\u200Bb\u{E0041}c\uFEFF', String.raw`a\u{200b}b\u{e0041}c\u{feff}`],
    ['half of a pair', 'a\uD83E', String.raw`a\u{d83e}`],
    ['commands of GitHub', '::error::x', String.raw`\x3a:error::x`],
    ['commands behind white space', ' \u00A0\u3000::error::x', ' \u00A0\u3000\\x3a:error::x'],
    ['commands behind more colons', ':::error::x', String.raw`\x3a::error::x`],
    [
      'commands of Azure and TeamCity',
      "a ##vso[x] ##[error] ##TeamCity[x='1'] ###[x",
      String.raw`a #\x23vso[x] #\x23[error] #\x23TeamCity[x='1'] ##\x23[x`,
    ],
  ])('%s: shown, not obeyed', (_what, text, shown) => {
    expect(harmlessLine(text)).toBe(shown);
  });

  it.each(['hello', 'common::boot', 'a\\nb', 'é 語 🦀 ❤️', '## heading [x]', '#[derive]', 'a: b::c', ''])(
    '%j stays as it is',
    (text) => {
      expect(harmlessLine(text)).toBe(text);
    },
  );
});

describe('of any text', () => {
  const shown: Readonly<Record<string, (text: string) => string>> = {
    harmlessLine,
    harmlessText,
    harmlessMessage,
    harmlessOutput,
    quoted,
    quotedLines: (text) => quotedLines(text, '  '),
    harmlessJson: (text) => harmlessJson({ [text]: [text] }),
    'a sentence around it': (text) => harmlessMessage(`the guest said ${harmlessLine(text)} and ${text}`),
  };

  it.each(Object.entries(shown))('%s leaves nothing that acts', (_name, show) => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        expect(hazardsIn(show(text))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['harmlessLine', 'harmlessText', 'harmlessMessage', 'harmlessOutput'])('%s changes nothing twice', (name) => {
    const show = shown[name] ?? String;
    fc.assert(
      fc.property(hostileText(), (text) => {
        const once = show(text);
        expect(show(once)).toBe(once);
        expect(harmlessOutput(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  it('a line stays one line, and lines of a guest begin with a mark', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        expect(harmlessLine(text)).not.toContain('\n');
        for (const line of quotedLines(text, '    ').split('\n')) expect(line).toMatch(/^ {4}\| /);
        for (const line of harmlessMessage(text).split('\n').slice(1)) expect(line).toMatch(/^ *\| /);
      }),
    );
  });

  it('JSON says the same', () => {
    fc.assert(
      fc.property(hostileText(), (text) => {
        expect(JSON.parse(harmlessJson({ text, [text]: 1 }))).toEqual({ text, [text]: 1 });
      }),
    );
  });
});

describe('harmlessOutput', () => {
  it('leaves our colours, and none that hides text', () => {
    expect(harmlessOutput('\u001B[31mred\u001B[39m \u001B[1mx\u001B[22m\n')).toBe(
      '\u001B[31mred\u001B[39m \u001B[1mx\u001B[22m\n',
    );
    expect(harmlessOutput('\u001B[8mx \u001B[2J \u001B[1;8mx')).toBe(String.raw`\x1b[8mx \x1b[2J \x1b[1;8mx`);
  });

  it('sees commands behind colours', () => {
    expect(harmlessOutput('a\n \u001B[2m ::error::x')).toBe('a\n \u001B[2m \\x3a:error::x');
  });
});
