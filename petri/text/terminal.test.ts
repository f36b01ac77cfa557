import { describe, expect, it } from 'vitest';
import { TerminalFilter } from './terminal.ts';

const through = (text: string): string => new TerminalFilter().push(Buffer.from(text));

describe('the filter before a terminal', () => {
  it.each([
    'text, Umlaute äöü and 漢字\r\n',
    '\u001B[1;31mred\u001B[0m',
    '\u001B[2J\u001B[H\u001B[10;20Hthere\u001B[K',
    '\u001B[?25l\u001B7\u001B8\u001B[?25h\u001B(B',
    'a\b \b\t\u0007',
  ])('lets through %j', (text) => {
    expect(through(text)).toBe(text);
  });

  it.each([
    ['a question for the position', '\u001B[6n'],
    ['one for the attributes', '\u001B[c\u001B[>c'],
    ['a title', '\u001B]0;title\u0007'],
    ['the clipboard', '\u001B]52;c;AAAA\u001B\\'],
    ['a device control string', '\u001BP$q"p\u001B\\'],
    ['window operations', '\u001B[21t'],
    ['other private modes', '\u001B[?1000h'],
    ['C1 controls', '\u009B6n'.slice(0, 1)],
    ['bidirectional controls', '\u202E'],
    ['a lone escape', '\u001Bc'.slice(0, 1)],
  ])('leaves out %s', (_, sequence) => {
    expect(through(`a${sequence}b`)).toBe('ab');
  });

  it('does so wherever the bytes are split', () => {
    const text = 'a\u001B[31mä\u001B]0;title\u0007b\u001B[6nc\u001B(Bd';
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const filter = new TerminalFilter();
      expect(filter.push(bytes.subarray(0, at)) + filter.push(bytes.subarray(at))).toBe('a\u001B[31mäbc\u001B(Bd');
    }
  });

  it('does not keep what never ends', () => {
    const filter = new TerminalFilter();
    for (let n = 0; n < 100; n++) expect(filter.push(Buffer.from(n === 0 ? '\u001B]0;' : 'x'.repeat(1000)))).toBe('');
  });
});
