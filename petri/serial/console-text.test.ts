import fc from 'fast-check';
import stripAnsi from 'strip-ansi';
import { describe, expect, it } from 'vitest';
import { ConsoleText } from './console-text.ts';
import { LONGEST_SEQUENCE } from './control-sequences.ts';
import { awkwardBytes, cutAt, inPieces, utf8 } from './testing.ts';

function textOf(pieces: readonly Uint8Array[]): string {
  const text = new ConsoleText();
  return pieces.map((piece) => text.push(piece)).join('') + text.finish();
}

describe('ConsoleText', () => {
  it.each([
    ['carriage return and line feed', 'one\r\ntwo\r\r\nthree\n\rfour\r\n', 'one\ntwo\nthree\nfour\n'],
    ['a lone carriage return', '10%\r20%\r\r30%\n', '10%\r20%\r30%\n'],
    ['a carriage return at the very end', 'done\r', 'done'],
    ['empty lines', 'a\r\n\r\n\n\nb', 'a\n\n\n\nb'],
    ['NUL', 'a\0b\n', 'a\0b\n'],
    ['colours', '\u001B[1;31mred\u001B[0m and \u001B[38;5;12mblue\u001B[m', 'red and blue'],
    ['bracketed paste', '\u001B[?2004h# \u001B[?2004l', '# '],
    ['a title, ended by BEL or ST', '\u001B]0;root@realm\u0007# \u001B]2;x\u001B\\$ ', '# $ '],
    ['systemd context', '\u001B]3008;start=0;user=root\u001B\\ok', 'ok'],
    ['device control strings', 'a\u001BPq#0;2\u001B\\b', 'ab'],
    ['8-bit introducers', 'a\u009B31mb\u009D0;t\u009Cc', 'abc'],
    ['Linux palette, which has no end', '\u001B]P0123456visible\u001B]Rtoo', 'visibletoo'],
    ['a cursor save and a character set', '\u001B7a\u001B(Bb\u001B8c', 'abc'],
    ['an ESC that begins nothing', 'a\u001B\u001B[1mb', 'a\u001Bb'],
    ['a string whose end never comes', 'a\u001B]0;title\nnext line', 'a\u001B]0;title\nnext line'],
    ['a byte order mark', '\uFEFFa', '\uFEFFa'],
    ['text of many scripts', 'Zürich — 東京 — 🦀\n', 'Zürich — 東京 — 🦀\n'],
  ])('reads %s, cut at every possible byte', (_name, input, expected) => {
    const bytes = utf8(input);
    expect(textOf([bytes])).toBe(expected);
    for (let at = 0; at <= bytes.length; at += 1) expect(textOf(cutAt(bytes, at))).toBe(expected);
    expect(textOf([...bytes].map((byte) => Uint8Array.of(byte)))).toBe(expected);
  });

  it('replaces invalid UTF-8 as the Encoding standard says, wherever it is cut', () => {
    const inputs = [
      [0x61, 0xff, 0x62],
      [0xe0, 0x80, 0x41],
      [0xf0, 0x90, 0x80, 0x41],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xc3],
      [0x80, 0x80, 0x80, 0x80],
      [0xe2, 0x82, 0xe2, 0x82, 0xac],
    ];
    for (const input of inputs) {
      const bytes = Uint8Array.from(input);
      const expected = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      for (let at = 0; at <= bytes.length; at += 1) expect(textOf(cutAt(bytes, at))).toBe(expected);
    }
  });

  it('gives the same text for any bytes in any pieces', () => {
    fc.assert(
      fc.property(awkwardBytes(), fc.array(fc.nat({ max: 12 })), (bytes, sizes) => {
        expect(textOf(inPieces(bytes, sizes))).toBe(textOf([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('takes out exactly what strip-ansi takes out of the whole text', () => {
    fc.assert(
      fc.property(awkwardBytes(), fc.array(fc.nat({ max: 12 })), (bytes, sizes) => {
        // 8-bit controls apart, which strip-ansi sees only in the company of others, and carriage returns.
        const plain = Buffer.from(bytes)
          .toString('utf8')
          .replaceAll(/[\u0080-\u009F\r]/g, '');
        expect(textOf(inPieces(utf8(plain), sizes))).toBe(stripAnsi(plain));
      }),
      { numRuns: 500 },
    );
  });

  it('does not hold back an endless sequence, and cuts make no difference to it', () => {
    for (const introducer of ['\u001B]', '\u001B[', '\u001B(', '\u001BP']) {
      const filler = introducer === '\u001B[' || introducer === '\u001B(' ? ' ' : 'x';
      const bytes = utf8(`a${introducer}${filler.repeat(2 * LONGEST_SEQUENCE)}`);
      const text = new ConsoleText();
      let out = text.push(bytes.subarray(0, 100));
      expect(out).toBe('a');
      out += text.push(bytes.subarray(100));
      expect(out.length).toBe(bytes.length);
      expect(textOf(inPieces(bytes, [LONGEST_SEQUENCE - 1, 1, 1, 1, 1, 1]))).toBe(out);
    }
  });

  it('takes a terminated sequence that is too long for text in one piece too', () => {
    const bytes = utf8(`\u001B]0;${'x'.repeat(LONGEST_SEQUENCE)}\u0007after`);
    expect(textOf([bytes])).toContain('xxxx');
    expect(textOf(inPieces(bytes, [5, LONGEST_SEQUENCE, 2]))).toBe(textOf([bytes]));
  });
});
