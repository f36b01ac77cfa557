import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConsoleText } from './console-text.ts';
import { LONGEST_SEQUENCE } from './control-sequences.ts';
import { awkwardBytes, cutAt, inPieces, utf8 } from '../testing.ts';

interface Terminal {
  readonly buffer: {
    readonly active: { getLine(row: number): { translateToString(trim: boolean): string } | undefined };
  };
  write(text: string, done: () => void): void;
  dispose(): void;
}

/** A widely used terminal emulator, for comparison. It is only available if `npm ci` has installed it. */
const xterm = '@xterm/headless';
const terminals = (await import(xterm).catch(() => undefined)) as
  { readonly default: { readonly Terminal: new (options: object) => Terminal } } | undefined;

function textOf(pieces: readonly Uint8Array[]): string {
  const text = new ConsoleText();
  return pieces.map((piece) => text.push(piece)).join('') + text.finish();
}

describe('ConsoleText', () => {
  it.each([
    ['carriage return and line feed', 'one\r\ntwo\r\r\nthree\n\rfour\r\n', 'one\ntwo\nthree\nfour\n'],
    ['a lone carriage return', '10%\r20%\r\r30%\n', '10%\n20%\n30%\n'],
    ['what is longer than what overwrites it', 'one hundred\r100\r\n', 'one hundred\n100 hundred\n'],
    ['an overwriting that changes nothing', 'tick\rtick\rtick\n', 'tick\n'],
    ['a progress bar that is erased', '50%\u001B[2K\r100%\r\u001B[Kdone\n', '50%\n100%\ndone\n'],
    ["U-Boot's countdown", 'autoboot:  2 \b\b\b 1 \b\b\b 0 \r\n', 'autoboot:  2 \nautoboot:  1 \nautoboot:  0 \n'],
    ['a shell that redraws', '# echo hi\b\b\b\b\b\b\bcho hi \b\b\b\b\b\b\b\r\n', '# echo hi\n# cho hi \n'],
    ['a shell that deletes', '# echo hi\u001B[7D\u001B[1P', '# echo hi\n# cho hi'],
    ['a shell that inserts', '# cho hi\u001B[6D\u001B[1@e', '# cho hi\n# echo hi'],
    ['a shell that inserts two', '# o hi\u001B[4D\u001B[2@ech\b', '# o hi\n# eco hi\n# ech hi'],
    [
      'a shell whose command is wider than a terminal',
      `${'x'.repeat(80)} \ry\r\n`,
      `${'x'.repeat(80)} \n${'x'.repeat(80)}y\n`,
    ],
    ['a typing error', 'lt\b \bs\r\n', 'lt\nl \nls\n'],
    ['a cursor that is moved to a row', 'a\u001B[05;01HPress\u001B[05;01HPress\u001B[2;8HESC', 'a\nPress\nPress\nESC'],
    [
      "a cursor that is moved to where it is, as EDK2's echo does",
      '\u001B[06;01H\u001B[1mShell> \u001B[0m\u001B[06;08Hv\u001B[06;09H\u001B[06;09He\u001B[06;10H\r\n\u001B[07;01HEDK II',
      'Shell> ve\nEDK II',
    ],
    [
      'the same column of another row, and another column of the same',
      'a\u001B[2;3Hbc\u001B[3;5Hd\u001B[3;7He',
      'a\nbc\nd\ne',
    ],
    ['a place that is not known any more', '\u001B[2;1Hab\u001B[1A\u001B[2;3Hc\n\u001B[2;3Hd', 'ab\nc\nd'],
    ['a place behind a wide character', '\u001B[2;1H東\u001B[2;3Hb', '東\nb'],
    ['other moves to rows', 'a\u001BDb\u001BEc\u001BMd\u001B[3de\u001B[Af\u001B[Eg\vh\fi', 'a\nb\nc\nd\ne\nf\ng\nh\ni'],
    ['8-bit moves to rows', 'a\u0084b\u0085c\u008Dd', 'a\nb\nc\nd'],
    ['a screen that is cleared', 'a\u001B[2J\u001B[01;01H\u001B[=3h\u001B[2J\u001B[Hb', 'a\nb'],
    ['columns', 'name\u001B[8Gvalue\u001B[2Cunit\u001B[1Gn', 'name   value  unit'],
    ['wide characters and marks', '東京\b\b大\be\u0301\n', '東京\n東大\n東 e\u0301\n'],
    ['backspaces at the start of a line', 'a\n\b\bb\n', 'a\nb\n'],
    ['Telnet line ends', 'a\r\0\nb\r\0CORE-1# ', 'a\nb\nCORE-1# '],
    ['a colour between the halves of a line end', 'a\r\u001B[0m\nb', 'a\nb'],
    ['a carriage return at the very end', 'done\r', 'done'],
    ['empty lines', 'a\r\n\r\n\n\nb', 'a\n\n\n\nb'],
    ['controls that render nothing', 'a\0b\u000F\u000Ec\u0007\u007F\n', 'abc\n'],
    ['a tabulator', 'a\tb\n', 'a\tb\n'],
    ['colours', '\u001B[1;31mred\u001B[0m and \u001B[38;5;12mblue\u001B[m', 'red and blue'],
    ['bracketed paste', '\u001B[?2004h# \u001B[?2004l', '# '],
    ['a title, ended by BEL or ST', '\u001B]0;root@realm\u0007# \u001B]2;x\u001B\\$ ', '# $ '],
    ['systemd context', '\u001B]3008;start=0;user=root\u001B\\ok', 'ok'],
    ['device control strings', 'a\u001BPq#0;2\u001B\\b', 'ab'],
    ['8-bit introducers', 'a\u009B31mb\u009D0;t\u009Cc', 'abc'],
    ['Linux palette, which has no end', '\u001B]P0123456visible\u001B]Rtoo', 'visibletoo'],
    ['a cursor save and a character set', '\u001B7a\u001B(Bb\u001B8c', 'abc'],
    ['an ESC that begins nothing', 'a\u001B\u001B[1mb', 'a\u001Bb'],
    ['a string that never ends', 'a\u001B]0;title\nnext line', 'a\u001B]0;title\nnext line'],
    ['a byte order mark', '\uFEFFa', '\uFEFFa'],
    ['text of many scripts', 'Zürich — 東京 — 🦀\n', 'Zürich — 東京 — 🦀\n'],
  ])('reads %s, split at any byte', (_name, input, expected) => {
    const bytes = utf8(input);
    expect(textOf([bytes])).toBe(expected);
    for (let at = 0; at <= bytes.length; at += 1) expect(textOf(cutAt(bytes, at))).toBe(expected);
    expect(textOf([...bytes].map((byte) => Uint8Array.of(byte)))).toBe(expected);
  });

  it('replaces invalid UTF-8 as the Encoding standard specifies, wherever it is split', () => {
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

  it('gives the same text for any bytes in any chunks', () => {
    fc.assert(
      fc.property(awkwardBytes(), fc.array(fc.nat({ max: 12 })), (bytes, sizes) => {
        expect(textOf(inPieces(bytes, sizes))).toBe(textOf([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it('does not hold back an endless sequence, however it is split', () => {
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

  it('treats a terminated sequence that is too long as text, even in one chunk', () => {
    const bytes = utf8(`\u001B]0;${'x'.repeat(LONGEST_SEQUENCE)}\u0007after`);
    expect(textOf([bytes])).toContain('xxxx');
    expect(textOf(inPieces(bytes, [5, LONGEST_SEQUENCE, 2]))).toBe(textOf([bytes]));
  });

  it('shows an edited line like a terminal', async ({ skip }) => {
    if (terminals === undefined) return skip(`${xterm} is not installed`);
    const { Terminal } = terminals.default;
    const edit = fc.constantFrom(
      ...[
        'a',
        'b',
        'cde',
        '東',
        ' ',
        '\b',
        '\b\b',
        '\r',
        '\u001B[K',
        '\u001B[1K',
        '\u001B[2K',
        '\u001B[P',
        '\u001B[2P',
      ],
      ...['\u001B[2@', '\u001B[3X', '\u001B[C', '\u001B[2D', '\u001B[5G', '\u001B[31m', '\0', '\u0007', '\u000F'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 24 }), async (edits) => {
        const terminal = new Terminal({ cols: 200, rows: 2, allowProposedApi: true });
        await new Promise<void>((resolve) => {
          terminal.write(edits.join(''), resolve);
        });
        const seen = terminal.buffer.active.getLine(0)?.translateToString(true) ?? '';
        terminal.dispose();
        const last =
          textOf([utf8(edits.join(''))])
            .split('\n')
            .at(-1) ?? '';
        expect(last.trimEnd()).toBe(seen.trimEnd());
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a line that is overwritten endlessly', 'a\rb\r'],
    ['the end of a long line that is', '\bx\by'],
    ['cursors that move back and forth', '\r\u001B[99999999999C\u001B[1K.\u001B[1;1H\u001B[4000C-'],
    ['insertions', '\rx\u001B[99999999999@\u001B[P'],
    ['marks', '\u0301'],
  ])('keeps the text proportional to the bytes: %s', (_name, pattern) => {
    const bytes = utf8(`${'line '.repeat(800)}\b \b${pattern.repeat(6000)}`);
    expect(textOf([bytes]).length).toBeLessThan(1024 * 1024 + 6 * bytes.length);
  });
});
